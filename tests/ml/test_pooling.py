"""Pooling many sessions at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.pooling import pool_each
from ml.statistics import DERIVED, WINDOW, pool


def windows(count: int, seed: int) -> np.ndarray:
    """Windows in which about a third of the statistics are missing, and some windows have no count at all."""
    rng = np.random.default_rng(seed)
    found = rng.uniform(0.1, 3.0, (count, WINDOW))
    found[:, 4:38][rng.random((count, 34)) < 0.3] = np.nan
    found[:, 38:] = rng.integers(0, 30, (count, 23)) * (rng.random((count, 1)) < 0.8)
    return found


@given(st.lists(st.integers(1, 20), max_size=12), st.integers(0, 1000))
def test_many_sessions_are_pooled_as_each_alone(sizes: list[int], seed: int) -> None:
    given_windows = windows(sum(sizes), seed)
    found = pool_each(given_windows, np.array(sizes, dtype=np.int64))
    assert found.shape == (len(sizes), DERIVED)
    parts = np.split(given_windows, np.cumsum(sizes)[:-1]) if sizes else []
    for row, part in zip(found, parts, strict=True):
        np.testing.assert_allclose(row, pool(part), rtol=1e-12)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12), st.integers(0, 1000))
def test_a_session_has_the_same_bits_alone_and_among_others(sizes: list[int], seed: int) -> None:
    given_windows = windows(sum(sizes), seed)
    found = pool_each(given_windows, np.array(sizes))
    alone = pool_each(given_windows[: sizes[0]], np.array(sizes[:1]))
    assert found[0].tobytes() == alone[0].tobytes()


@pytest.mark.parametrize("sizes", [[2, 0], [1, 1], [4]])
def test_sizes_that_do_not_fit_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="sizes must be"):
        pool_each(windows(3, 0), np.array(sizes))
