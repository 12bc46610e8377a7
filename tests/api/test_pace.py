from __future__ import annotations

import pytest

from api.pace import FIRST, PATIENCE, WORTH_A_MESSAGE, Pace, worth_a_message


def held_up(pace: Pace) -> None:
    """Somebody wants one turn more than there are."""
    turns = 0
    while pace.share(1):
        pace.take(1)
        turns += 1
    assert turns == pace.limit
    for _ in range(turns):
        pace.give_back(1)


def answered(pace: Pace, queue_seconds: float, times: int = 5 * PATIENCE) -> None:
    for _ in range(times):
        pace.learn(queue_seconds + 0.01, 0.01)


def test_no_more_messages_are_on_their_way_than_the_limit() -> None:
    pace = Pace(1)
    assert pace.share(1)
    pace.take(1)
    assert not pace.share(1)
    pace.give_back(1)
    assert pace.share(1)


@pytest.mark.parametrize(
    ("waiting", "on_their_way", "share"),
    [(64, 0, 32), (43, 21, 32), (20, 100, 60), (1000, 256, 628), (33, 0, 17)],
)
def test_a_message_carries_its_share_of_what_waits_and_what_is_on_its_way(
    waiting: int, on_their_way: int, share: int
) -> None:
    pace = Pace(8)
    assert pace.limit == 2
    pace.take(on_their_way)
    assert pace.share(waiting) == share


@pytest.mark.parametrize("told", [0.0, -1.0, float("nan"), float("inf")])
def test_a_worker_that_tells_no_time_changes_nothing(told: float) -> None:
    pace = Pace(8)
    held_up(pace)
    for _ in range(2 * PATIENCE):
        pace.learn(1.0, told)
    assert pace.limit == FIRST
    held_up(pace)
    answered(pace, 0.001)
    assert pace.limit == FIRST + 1


def test_few_rows_are_not_shared_out_over_several_messages() -> None:
    pace = Pace(8)
    assert pace.share(2 * WORTH_A_MESSAGE) == pace.share(1) == WORTH_A_MESSAGE
    assert pace.share(2 * WORTH_A_MESSAGE + 1) == WORTH_A_MESSAGE + 1


def test_rows_are_worth_a_message_from_as_many_on_as_it_costs() -> None:
    assert worth_a_message(WORTH_A_MESSAGE)
    assert not worth_a_message(WORTH_A_MESSAGE - 1)


def test_the_only_message_carries_all_that_waits() -> None:
    assert Pace(1).share(200) == 200


def test_what_came_back_counts_no_longer() -> None:
    pace = Pace(8)
    pace.take(100)
    pace.give_back(100)
    assert pace.share(50) == 25


def test_messages_that_are_taken_at_once_make_more_of_them() -> None:
    pace = Pace(8)
    for _ in range(20):
        held_up(pace)
        answered(pace, 0.0, PATIENCE)
    assert pace.limit == 8


def test_nobody_held_up_means_nothing_is_gained_by_more() -> None:
    pace = Pace(8)
    answered(pace, 0.0)
    assert pace.limit == FIRST


def test_messages_that_wait_long_make_fewer_of_them_but_one() -> None:
    pace = Pace(8)
    answered(pace, 0.05)
    assert pace.limit == 1


def test_one_message_in_the_making_and_one_waiting_is_left_as_it_is() -> None:
    pace = Pace(8)
    for _ in range(5):
        held_up(pace)
        answered(pace, 0.01, PATIENCE)
    assert pace.limit == FIRST


def test_a_worker_that_does_not_tell_its_work_teaches_nothing() -> None:
    pace = Pace(8)
    for _ in range(10):
        held_up(pace)
        for _ in range(PATIENCE):
            pace.learn(0.01, 0.0)
    assert pace.limit == FIRST


def test_a_message_that_is_back_before_its_worker_is_done_has_not_waited() -> None:
    pace = Pace(8)
    for _ in range(20):
        held_up(pace)
        for _ in range(PATIENCE):
            pace.learn(0.01, 0.03)
    assert pace.limit == 8


def test_a_small_message_behind_a_large_one_says_nothing_of_too_many() -> None:
    pace = Pace(8)
    for _ in range(10):
        held_up(pace)
        for _ in range(PATIENCE // 2):
            pace.learn(0.022, 0.002)  # behind the large one
            pace.learn(0.022, 0.020)  # behind the small one
    assert pace.limit == FIRST


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), 1e300, -1.0, 0.0])
def test_what_is_no_duration_does_not_stop_the_learning(nonsense: float) -> None:
    pace = Pace(8)
    pace.learn(0.01, nonsense)
    for _ in range(20):
        held_up(pace)
        answered(pace, 0.0, PATIENCE)
    assert pace.limit == 8
    for _ in range(20):
        pace.learn(0.01, nonsense)
        answered(pace, 0.1, PATIENCE)
    assert pace.limit == 1
