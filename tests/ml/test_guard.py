from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml.guard import replayed, steered, trend
from ml.sessions import Sessions
from ml.statistics import DERIVED, SHIFT, VALUES, WINDOWS

Floats = NDArray[np.float64]
USUAL = np.array([62.3, 101.7, 84.2, 3.1])


def pasts(rows: int, length: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Histories (rows, length, 4) and (rows, length, 58) of sessions that scatter about one person's usual ones."""
    numbers = USUAL * np.exp(rng.normal(0.0, 0.1, (rows, length, 4)))
    derived = np.zeros((rows, length, DERIVED))
    derived[..., VALUES] = SHIFT + rng.normal(0.0, 0.2, (rows, length, 34))
    derived[..., WINDOWS] = 1
    return numbers, derived


def sessions(
    current: Floats, history: Floats, derived: Floats | None = None, past: Floats | None = None
) -> Sessions:
    counts = np.full(len(current), history.shape[1], dtype=np.int64)
    return Sessions(current, history, counts, derived, past)


def test_a_copy_of_any_recorded_pattern_is_a_replay() -> None:
    history, _ = pasts(12, 12, np.random.default_rng(0))
    assert replayed(sessions(history[np.arange(12), np.arange(12)], history)).all()


def test_a_copy_through_float32_is_still_one() -> None:
    history, _ = pasts(6, 6, np.random.default_rng(1))
    stored = history.astype(np.float32).astype(np.float64)
    assert replayed(sessions(history[:, 3], stored)).all()


@pytest.mark.parametrize("field", range(4))
@pytest.mark.parametrize("step", [-1.0, -0.3, 0.5, 1.0])
def test_a_copy_with_one_number_moved_by_at_most_one_is_a_replay(field: int, step: float) -> None:
    history, _ = pasts(6, 6, np.random.default_rng(2))
    current = history[:, 2].copy()
    current[:, field] += step
    assert replayed(sessions(current, history)).all()


def test_two_numbers_moved_or_one_by_more_are_no_replay() -> None:
    history, _ = pasts(6, 6, np.random.default_rng(3))
    two, far = history[:, 2].copy(), history[:, 2].copy()
    two[:, :2] += 0.4
    far[:, 0] += 1.2
    assert not replayed(sessions(two, history)).any()
    assert not replayed(sessions(far, history)).any()


def test_whole_numbers_are_compared_with_every_pattern() -> None:
    history = np.rint(pasts(1, 50, np.random.default_rng(4))[0] * [1, 30, 30, 30])
    for place in (0, 19, 20, 49):
        current = history[:, place].copy()
        assert replayed(sessions(current, history)).all()
        current[:, 1] += 1.0
        assert replayed(sessions(current, history)).all()


def test_padding_is_never_copied() -> None:
    history, _ = pasts(3, 5, np.random.default_rng(5))
    short = Sessions(history[:, 4], history, np.array([4, 5, 0]))
    assert replayed(short).tolist() == [False, True, False]
    assert not replayed(Sessions(history[:, 0], history[:, :0], np.zeros(3, dtype=np.int64))).any()


def test_derived_values_betray_a_copy_whose_four_numbers_were_changed() -> None:
    rng = np.random.default_rng(6)
    history, past = pasts(5, 8, rng)
    current = history[:, 1] * 1.07
    derived = past[:, 1].copy()
    derived[:, :15] += 0.3  # fewer than half of them
    assert replayed(sessions(current, history, derived, past)).all()
    derived[:, :30] += 0.3
    assert not replayed(sessions(current, history, derived, past)).any()


def test_three_equal_numbers_are_no_copy_where_the_derived_values_differ() -> None:
    rng = np.random.default_rng(16)
    history, past = pasts(5, 8, rng)
    _, fresh = pasts(5, 1, rng)
    current = history[:, 4].copy()
    current[:, 0] += 0.6  # a fixed text on a coarse clock
    assert not replayed(sessions(current, history, fresh[:, 0], past)).any()
    assert replayed(sessions(current, history, past[:, 4], past)).all()
    assert replayed(sessions(history[:, 4], history, fresh[:, 0], past)).all()


def test_three_equal_numbers_are_a_copy_where_too_few_derived_values_can_be_compared() -> None:
    rng = np.random.default_rng(17)
    history, past = pasts(5, 8, rng)
    _, fresh = pasts(5, 1, rng)
    fresh[:, 0, 7:34] = 0.0
    current = history[:, 4].copy()
    current[:, 0] += 0.6
    assert replayed(sessions(current, history, fresh[:, 0], past)).all()
    assert replayed(sessions(current, history, fresh[:, 0], np.zeros_like(past))).all()


def test_what_a_history_rounds_away_hides_no_copy() -> None:
    history, past = pasts(5, 8, np.random.default_rng(7))
    kept = np.rint(past * 1000) / 1000
    assert replayed(sessions(history[:, 0] * 1.1, history, past[:, 5], kept)).all()


def test_missing_and_zero_statistics_are_no_agreement() -> None:
    history, past = pasts(4, 3, np.random.default_rng(8))
    derived = pasts(4, 1, np.random.default_rng(9))[1][:, 0]
    for nothing in (0.0, SHIFT):
        derived[:, :25] = nothing
        past[:, :, :25] = nothing
        assert not replayed(sessions(history[:, 0] * 1.1, history, derived, past)).any()


def test_sessions_that_scatter_are_seldom_withheld() -> None:
    numbers, derived = pasts(2_000, 11, np.random.default_rng(10))
    counts = np.full(2_000, 10)
    for now, past in ((None, None), (derived[:, 0], derived[:, 1:])):
        share = steered(numbers[:, 0], now, numbers[:, 1:], past, counts).mean()
        assert 0.05 < share < 0.18


def test_a_walk_of_small_steps_is_seen_after_few_of_them() -> None:
    rng = np.random.default_rng(11)
    numbers, derived = pasts(300, 14, rng)
    way = rng.normal(0.0, 0.2, (300, 1, 34))
    steps = np.maximum(4 - np.arange(14), 0)[None, :, None]  # the four newest go one way
    led = derived.copy()
    led[..., VALUES] += way * steps
    counts = np.full(300, 13)
    assert steered(numbers[:, 0], led[:, 0], numbers[:, 1:], led[:, 1:], counts).mean() > 0.97
    assert steered(numbers[:, 0], derived[:, 0], numbers[:, 1:], led[:, 1:], counts).mean() < 0.25


def test_padding_and_the_rest_of_a_batch_leave_a_judgement_alone() -> None:
    numbers, derived = pasts(40, 21, np.random.default_rng(12))
    counts = np.arange(40) % 21
    full = steered(numbers[:, 0], derived[:, 0], numbers[:, 1:], derived[:, 1:], counts)
    for i in range(40):
        past = slice(1, 1 + counts[i])
        one = np.s_[i : i + 1]
        alone = steered(
            numbers[one, 0], derived[one, 0], numbers[one, past], derived[one, past], counts[one]
        )
        assert alone[0] == full[i]
    assert 0 < full.sum() < 40


def test_too_short_or_unchanging_histories_have_no_direction() -> None:
    numbers = np.tile(USUAL, (3, 6, 1))
    counts = np.array([0, 1, 6])
    assert not steered(USUAL[None] * [[1.2]] * np.ones((3, 1)), None, numbers, None, counts).any()


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.integers(-50, 50).map(float), min_size=0, max_size=9), min_size=1, max_size=4
    )
)
def test_the_trend_is_the_correlation_with_time(rows: list[list[float]]) -> None:
    width = max(len(row) for row in rows)
    along = np.array([row + [99.0] * (width - len(row)) for row in rows]).reshape(len(rows), width)
    found = trend(along, np.array([len(row) for row in rows]))
    for row, value in zip(rows, found, strict=True):
        n = len(row)
        if n < 2 or len(set(row)) == 1:
            assert value == pytest.approx(0.0, abs=1e-6)
            continue
        slow = np.corrcoef(row[::-1], np.arange(n))[0, 1] * np.sqrt(n - 1)
        assert value == pytest.approx(slow)
