from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.features import summary
from ml.statistics import (
    ALL,
    CHANNEL,
    COUNT_OF,
    COUNTED,
    COUNTS,
    DERIVED,
    LEAST_HOLDS,
    LEAST_PAIRS,
    LEAST_STATISTICS,
    SHIFT,
    STATISTICS,
    VALUES,
    WINDOW,
    WINDOWS,
    enough,
    even,
    is_rich,
    natural,
    pool,
    pool_many,
)

# The ranges of a request.
LEAST = {"_ms": 15.0, "transition_q90_ms": -1_000.0, "rollover": 0.0, "spread": 0.0, "change": 0.0}
GREATEST = {"_ms": 1_000.0, "rollover": 1.0, "transition_": 8.0}


def limit(name: str, limits: dict[str, float], otherwise: float) -> float:
    """The value of the last entry that is part of `name`."""
    return next((v for key, v in reversed(limits.items()) if key in name), otherwise)


def any_windows(count: int, rng: np.random.Generator, missing: float = 0.2) -> np.ndarray:
    """Windows (count, 61) with a share of the statistics missing."""
    least = np.array([limit(name, LEAST, -3.0) for name in STATISTICS])
    greatest = np.array([limit(name, GREATEST, 3.0) for name in STATISTICS])
    statistics = rng.uniform(least, greatest, (count, len(STATISTICS)))
    statistics[rng.random(statistics.shape) < missing] = np.nan
    counts = rng.integers(0, 60, (count, len(COUNTS))).astype(float)
    numbers = rng.uniform([20, 50, 10, 0], [120, 150, 200, 9], (count, 4))
    return np.concatenate([numbers, statistics, counts], axis=1)


def test_the_numbers_of_a_window_and_of_a_derived_row_add_up() -> None:
    assert (len(STATISTICS), len(COUNTS), ALL) == (34, 23, 38)
    assert (WINDOW, DERIVED) == (61, 58)
    assert len(set(STATISTICS)) == 34
    assert CHANNEL.shape == COUNT_OF.shape == (ALL,)
    assert sorted(set(CHANNEL.tolist())) == [0, 1, 2, 3, 4, 5]


def test_every_even_value_is_told_apart_from_a_missing_one() -> None:
    rng = np.random.default_rng(0)
    windows = any_windows(500, rng, missing=0.3)[:, 4:38]
    values = even(windows)
    assert np.array_equal(values == 0.0, np.isnan(windows))
    assert values[values != 0].min() > 0.0
    assert values.max() < 32.0


def test_natural_units_come_back_from_even_ones() -> None:
    windows = any_windows(300, np.random.default_rng(1))[:, 4:38]
    back = natural(even(windows))
    assert np.array_equal(np.isnan(back), np.isnan(windows))
    assert np.nan_to_num(back) == pytest.approx(np.nan_to_num(windows), rel=1e-9, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_a_pooled_value_is_the_mean_over_the_windows_weighted_by_its_count(
    seed: int, count: int
) -> None:
    windows = any_windows(count, np.random.default_rng(seed))
    row = pool(windows)
    for j, name in enumerate(STATISTICS):
        total, weight = 0.0, 0.0
        for window in windows:
            value = even(window[None, 4:38])[0, j]
            if not np.isnan(window[4 + j]):
                times = window[38 + COUNT_OF[4 + j]]
                total, weight = total + times * value, weight + times
        expected = total / weight if weight else 0.0
        assert row[j] == pytest.approx(expected, rel=1e-12), name
    assert row[COUNTED].tolist() == windows[:, 38:].sum(axis=0).tolist()
    assert row[WINDOWS] == count


def test_windows_of_four_numbers_only_pool_to_zeros() -> None:
    bare = np.full((3, WINDOW), np.nan)
    bare[:, :4] = [60.0, 100.0, 90.0, 2.0]
    assert not pool(bare).any()
    rich = any_windows(1, np.random.default_rng(2), missing=0.0)
    both = pool(np.concatenate([bare, rich]))
    assert both.tolist() == pool(rich).tolist()
    assert is_rich(np.stack([both, pool(bare)])).tolist() == [True, False]


def test_the_four_statistics_say_what_the_four_numbers_say() -> None:
    numbers = np.array([[60.0, 80.0, 120.0, 4.0], [50.0, 100.0, 100.0, 0.0]])
    pause, hold, gap, errors = summary(numbers).T
    assert np.exp(hold) == pytest.approx([80.0, 100.0])
    assert np.exp(gap) == pytest.approx([200.0, 200.0])
    assert errors.tolist() == [2.0, 0.0]
    assert pause[0] == 0.0  # 60 words a minute are 200 ms a key
    assert np.sinh(pause[1]) / 20 == pytest.approx(np.log(240.0 / 200.0))


def test_values_are_moved_up_by_sixteen() -> None:
    row = even(np.full((1, len(STATISTICS)), 0.5))[0]
    assert row[STATISTICS.index("hold_space")] == SHIFT + 0.5
    assert row[VALUES].shape == (34,)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_many_sessions_pool_as_each_does_alone(seed: int, sessions: int) -> None:
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(sessions), rng.integers(1, 6, sessions))
    windows = any_windows(len(owner), rng)
    rows = pool_many(windows, owner, sessions)
    for i in range(sessions):
        assert rows[i] == pytest.approx(pool(windows[owner == i]), rel=1e-12, abs=1e-12)


def holding(keys: int, pairs: int, statistics: int) -> np.ndarray:
    row = np.zeros((1, DERIVED))
    row[0, :statistics] = SHIFT
    row[0, COUNTED.start + COUNTS.index("holds")] = keys
    row[0, COUNTED.start + COUNTS.index("pairs")] = pairs
    row[0, WINDOWS] = 1
    return row


def test_a_row_is_weighed_from_enough_keys_pairs_and_statistics_on() -> None:
    least = (LEAST_HOLDS, LEAST_PAIRS, LEAST_STATISTICS)
    assert enough(holding(*least)).all()
    for i in range(3):
        short = list(least)
        short[i] -= 1
        assert not enough(holding(*short)).any()
        assert is_rich(holding(*short)).all()
