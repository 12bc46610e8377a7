from __future__ import annotations

from api.pace import FIRST, PATIENCE, Pace


def held_up(pace: Pace) -> None:
    """Somebody wants one turn more than there are."""
    turns = 0
    while pace.take():
        turns += 1
    assert turns == pace.limit
    for _ in range(turns):
        pace.give_back()


def answered(pace: Pace, queue_seconds: float, times: int = 5 * PATIENCE) -> None:
    for _ in range(times):
        pace.learn(queue_seconds + 0.01, 0.01)


def test_no_more_messages_are_on_their_way_than_the_limit() -> None:
    pace = Pace(1)
    assert pace.take()
    assert not pace.take()
    pace.give_back()
    assert pace.take()


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
