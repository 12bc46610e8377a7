from __future__ import annotations

import inspect

import pytest

from api import errors
from api.errors import ApiError, InternalError, OverloadedError, error_for, error_types
from worker.contract import ErrorCode


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_code_of_the_wire_has_an_error_of_its_own(code: ErrorCode) -> None:
    error = error_for(code)
    assert error.code is code
    assert 400 <= error.status <= 599
    assert error.detail == type(error).sentence
    assert len(error.detail) > 20


def test_no_two_errors_share_a_code() -> None:
    named = [
        thing
        for thing in vars(errors).values()
        if inspect.isclass(thing) and issubclass(thing, ApiError) and "code" in vars(thing)
    ]
    assert len(named) == len(error_types()) == len(ErrorCode)


@pytest.mark.parametrize("error_type", error_types().values())
def test_the_tree_in_the_docstring_names_every_error_with_its_code_and_status(
    error_type: type[ApiError],
) -> None:
    tree = errors.__doc__ or ""
    line = next(line for line in tree.splitlines() if f" {error_type.__name__} " in line)
    assert line.endswith(f" {error_type.code}")
    if error_type.status != 503:
        assert f" {error_type.status:d} " in line


@pytest.mark.parametrize("error_type", error_types().values())
def test_every_error_says_when_it_is_raised(error_type: type[ApiError]) -> None:
    assert (error_type.__doc__ or "").startswith("Raised when ")


@pytest.mark.parametrize("error_type", error_types().values())
def test_what_may_pass_by_itself_says_when_to_try_again(error_type: type[ApiError]) -> None:
    temporary = error_type.status in {429, 503}
    assert ("Retry-After" in error_type().headers) == temporary


def test_a_raiser_may_know_a_better_time_to_try_again() -> None:
    assert OverloadedError(retry_after_seconds=7).headers == {"Retry-After": "7"}


def test_a_code_that_this_release_does_not_know_is_an_internal_error() -> None:
    assert isinstance(error_for("MADE_UP"), InternalError)


def test_two_errors_do_not_share_their_headers() -> None:
    first, second = OverloadedError(), OverloadedError()
    first.headers["X"] = "1"
    assert "X" not in second.headers
