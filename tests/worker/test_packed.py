"""What lies in Redis says by its first byte what it is."""

from __future__ import annotations

import zlib

import pytest

from worker.packed import PATTERNS_MARK, RESULTS_MARK, marked, plain


@pytest.mark.parametrize("mark", [PATTERNS_MARK, RESULTS_MARK])
def test_what_was_marked_comes_back_plain(mark: bytes) -> None:
    assert plain(mark, marked(mark, b"text" * 9)) == b"text" * 9


@pytest.mark.parametrize("blob", [b"", zlib.compress(b"text"), marked(RESULTS_MARK, b"text")])
def test_another_form_is_refused_with_the_remedy(blob: bytes) -> None:
    with pytest.raises(ValueError, match=r"another release.*cancel them"):
        plain(PATTERNS_MARK, blob)


def test_what_is_damaged_is_told_from_another_form() -> None:
    with pytest.raises(zlib.error):
        plain(RESULTS_MARK, marked(RESULTS_MARK, b"text" * 9)[:-3])
