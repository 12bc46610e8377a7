from __future__ import annotations

import math

from api.capacity import LEAST_ROWS, TOO_MANY, WINDOW_SECONDS, Capacity


def taught(rows: int = 100, seconds: float = 0.05, times: int = 50) -> Capacity:
    """Knows a crowd that is answered at so many rows in so many seconds."""
    capacity = Capacity()
    for number in range(times):
        capacity.answered(rows, number * seconds, held_up=True)
    return capacity


def test_what_has_not_been_seen_is_without_bound() -> None:
    capacity = Capacity()
    capacity.arrived(1_000_000, 0.0)
    assert capacity.rows_in(1.0) == math.inf
    assert not capacity.exceeded()


def test_answers_without_a_pause_between_them_tell_the_rate() -> None:
    assert math.isclose(taught().rows_in(1.0), 2000)


def test_a_pause_in_which_nobody_waited_teaches_nothing() -> None:
    capacity = taught()
    capacity.answered(100, 10.0, held_up=False)
    known = capacity.rows_in(1.0)
    capacity.answered(100, 100.0, held_up=True)
    assert capacity.rows_in(1.0) == known


def test_small_messages_teach_nothing() -> None:
    capacity = Capacity()
    for number in range(100):
        capacity.answered(LEAST_ROWS - 1, number * 0.01, held_up=True)
    assert capacity.rows_in(1.0) == math.inf


def test_a_rate_that_changes_is_learned_anew() -> None:
    capacity = taught()
    for number in range(100):
        capacity.answered(100, 1000 + number * 0.1, held_up=True)
    assert abs(capacity.rows_in(1.0) - 1000) < 50


def test_more_arrivals_than_answers_show_within_a_window_or_two() -> None:
    capacity = taught()  # 200 in a window
    just = round(TOO_MANY * capacity.rows_in(WINDOW_SECONDS)) - 1
    capacity.arrived(just, 0.0)
    assert not capacity.exceeded()
    capacity.arrived(2, WINDOW_SECONDS / 2)
    assert capacity.exceeded()
    capacity.arrived(1, WINDOW_SECONDS)
    assert capacity.exceeded(), "the window before counts"
    capacity.arrived(1, 2 * WINDOW_SECONDS)
    assert not capacity.exceeded()


def test_a_burst_of_long_ago_does_not_count() -> None:
    capacity = taught()
    capacity.arrived(10_000, 0.0)
    capacity.arrived(1, 5.0)
    assert not capacity.exceeded()


def test_arrivals_at_the_rate_of_the_answers_are_never_too_many() -> None:
    capacity = taught()
    for number in range(1000):
        capacity.arrived(2, number / 1000)
        assert not capacity.exceeded()
