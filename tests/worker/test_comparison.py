"""What a pattern is compared with."""

from __future__ import annotations

import numpy as np
import pytest

from ml.statistics import COUNTED, COUNTED_BY, COUNTS, STATISTICS, WINDOW, WINDOWS, pool
from tests.worker.batches import NOW, NUMBERS, brought, compared, pattern, row, window
from worker.comparison import Typed, beside
from worker.contract import WINDOW_COUNT_OF, WINDOW_COUNTS, WINDOW_NUMBERS, WINDOW_STATISTICS
from worker.records import Pattern, decode


def pooled(*windows: list[float | None]) -> np.ndarray:
    return pool(np.array(windows, dtype=np.float64))


def test_the_wire_and_the_model_know_the_same_names_in_the_same_order() -> None:
    assert WINDOW_STATISTICS == STATISTICS
    assert WINDOW_COUNTS == COUNTS
    assert WINDOW_NUMBERS == WINDOW


def test_the_wire_and_the_model_take_each_statistic_from_the_same_count() -> None:
    assert tuple(WINDOW_COUNT_OF.values()) == COUNTED_BY[4:]


def test_what_the_server_recorded_outranks_what_the_caller_brings() -> None:
    found = compared(
        [row("aa", brought(3)), row("bb", brought(3)), row("cc")], [[pattern(9)], [], []]
    )
    assert found.sources() == ["server", "caller", "none"]
    assert found.sessions.counts.tolist() == [1, 3, 0]
    assert found.recorded.tolist() == [1, 0, 0]
    assert found.sessions.history[0, 0].tolist() == [63.75, 121.75, 80.0, 3.0]
    assert found.sessions.history[1, :, 0].tolist() == [68.0, 69.0, 70.0]


def test_ages_are_told_in_hours_whoever_remembers_the_pattern() -> None:
    found = compared([row("aa"), row("bb", brought(2))], [[pattern(5), pattern(7)], []])
    assert found.sessions.ages_hours is not None
    assert found.sessions.ages_hours.tolist() == [[5.0, 7.0], [1.0, 2.0]]


def test_a_pattern_older_than_its_history_is_as_far_from_it_as_a_younger_one() -> None:
    found = compared([row("aa")], [[pattern(5)]], now=NOW - 10 * 3600)
    assert found.sessions.ages_hours is not None
    assert found.sessions.ages_hours.tolist() == [[5.0]]


def test_a_full_day_is_told_by_the_time_of_entering_and_an_age_by_that_of_typing() -> None:
    records, counts = decode([[pattern(5).pack()]] * 2)
    typed, entering = np.full(2, NOW - 5 * 86_400), np.array([NOW - 5 * 86_400, NOW])
    found = beside(Typed.of([row("aa"), row("bb")]), records, counts, typed, 1, entering)
    assert found.full.tolist() == [False, True]
    assert found.sessions.ages_hours is not None
    assert found.sessions.ages_hours.tolist() == [[115.0], [115.0]]


def test_a_question_of_the_chain_knows_no_ages() -> None:
    found = compared([[*row("aa"), ["0123456789abcdef", 0]], row("aa")], [[pattern(5)]] * 2)
    assert found.sessions.ages_hours is not None
    assert found.sessions.ages_hours.tolist() == [[0.0], [5.0]]


def test_windows_are_pooled_whether_they_are_of_the_session_or_of_what_was_brought() -> None:
    now, then = [window(1), window(2, 0.5)], [window(3)]
    found = compared([row("aa"), row("bb", brought(2, then), now)], [[], []]).sessions
    assert found.derived is not None
    assert found.past_derived is not None
    np.testing.assert_allclose(found.derived[1], pooled(*now), rtol=1e-12)
    assert not found.derived[0].any()
    np.testing.assert_allclose(found.past_derived[1], [pooled(*then)] * 2, rtol=1e-12)


def test_a_window_of_four_numbers_is_no_window_of_statistics() -> None:
    assert compared([row("aa", windows=[NUMBERS])], [[]]).sessions.derived is None
    mixed = compared([row("aa", windows=[NUMBERS, window(1)])], [[]]).sessions.derived
    assert mixed is not None
    assert mixed[0, WINDOWS] == 1


def test_windows_that_hold_too_little_are_worth_no_statistics() -> None:
    poor = [*NUMBERS, *[None] * 34, *[0, 0, 1], *[0] * 20]
    found = compared([row("aa", brought(1, [poor]), [poor])], [[]]).sessions
    assert found.derived is not None
    assert found.past_derived is not None
    assert not found.derived.any()
    assert not found.past_derived.any()


def test_counts_go_no_further_than_a_history_keeps_them() -> None:
    vast = [*window(1)[:38], *[9_000] * 23]
    found = compared([row("aa", windows=[vast] * 30)], [[]]).sessions.derived
    assert found is not None
    assert (found[0, COUNTED] == 255).all()
    assert found[0, WINDOWS] == 20


def test_a_recorded_pattern_brings_its_statistics() -> None:
    derived = pooled(window(4))
    found = compared([row("aa")], [[pattern(3), pattern(4, derived)]]).sessions
    assert found.past_derived is not None
    assert not found.past_derived[0, 0].any()
    np.testing.assert_allclose(found.past_derived[0, 1], derived, atol=0.0006)


def test_patterns_of_four_numbers_cost_no_statistics() -> None:
    found = compared([row("aa"), row("bb", brought(2))], [[pattern(1)], []]).sessions
    assert found.derived is None
    assert found.past_derived is None


def test_a_history_entry_without_a_place_for_windows_is_one_of_four_numbers() -> None:
    old = [entry[:5] for entry in brought(2)]
    found = compared([row("aa", old, [window(1)])], [[]]).sessions
    assert found.counts.tolist() == [2]
    assert found.past_derived is None


@pytest.mark.parametrize(
    ("hours", "quota", "full"),
    [
        ([1, 2, 3], 3, True),
        ([1, 2, 3], 4, False),
        ([1, 2, 23.99], 3, True),
        ([1, 2, 24], 3, False),
        ([1, 30, 31], 1, True),
        ([25, 30, 31], 1, False),
        ([-1, -2], 2, True),  # a backlog of yesterday beside a history of today
        ([1, 2, 3], 0, False),
        ([], 1, False),
    ],
)
def test_a_history_is_full_when_its_quota_of_a_day_has_entered(
    hours: list[float], quota: int, full: bool
) -> None:
    past = [_aged(each) for each in hours]
    assert compared([row("aa")], [past], quota).full.tolist() == [full]


def _aged(hours: float) -> Pattern:
    return Pattern(int(NOW - hours * 3600), pattern(1).features, 9)


def test_no_rows_are_compared_with_nothing() -> None:
    found = compared([], []).sessions
    assert len(found) == 0
