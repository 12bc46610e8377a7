"""Percentiles and the bytes of a request."""

from __future__ import annotations

import math

import pytest

from bench.load import Load, Target, percentile, summed_up


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.501, 51), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert percentile(range(1, 101), share) == value


def test_nothing_measured_has_no_percentile() -> None:
    load = summed_up([], 1.0, {503: 4})
    assert math.isnan(load.p99_ms)
    assert load.rate == 0
    assert load.failed == 4


def test_a_run_is_summed_up_in_any_order() -> None:
    load = summed_up([3.0, 1.0, 2.0], 1.5, {}, late=1, unsent=2)
    assert load == Load(1.5, 3, 2.0, 3.0, 3.0, {}, 1, 2)
    assert load.rate == 2
    assert load.failed == 2


def test_a_request_says_its_length() -> None:
    (request,) = Target(80, "/x", [b"{}"]).requests()
    head, body = request.split(b"\r\n\r\n")
    assert head.startswith(b"POST /x HTTP/1.1\r\n")
    assert b"Content-Length: 2" in head
    assert body == b"{}"
