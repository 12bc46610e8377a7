from __future__ import annotations

import asyncio

import pytest

from api.pace import FIRST, PATIENCE, Pace

pytestmark = pytest.mark.anyio


async def held_up(pace: Pace) -> None:
    """Somebody wants one turn more than there are."""
    turns = [asyncio.create_task(pace.take()) for _ in range(1)]
    await asyncio.sleep(0)
    for _ in range(pace.limit - 1):
        await pace.take()
    waiting = asyncio.create_task(pace.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    for _ in range(pace.limit):
        pace.give_back()
    await asyncio.gather(*turns, waiting)
    pace.give_back()


def answered(pace: Pace, queue_seconds: float, times: int = 5 * PATIENCE) -> None:
    for _ in range(times):
        pace.learn(queue_seconds + 0.01, 0.01)


async def test_no_more_messages_are_on_their_way_than_the_limit() -> None:
    pace = Pace(1)
    await pace.take()
    second = asyncio.create_task(pace.take())
    await asyncio.sleep(0.01)
    assert not second.done()
    pace.give_back()
    await second


async def test_messages_that_are_taken_at_once_make_more_of_them() -> None:
    pace = Pace(8)
    for _ in range(20):
        await held_up(pace)
        answered(pace, 0.0, PATIENCE)
    assert pace.limit == 8


async def test_nobody_held_up_means_nothing_is_gained_by_more() -> None:
    pace = Pace(8)
    answered(pace, 0.0)
    assert pace.limit == FIRST


async def test_messages_that_wait_long_make_fewer_of_them_but_one() -> None:
    pace = Pace(8)
    answered(pace, 0.05)
    assert pace.limit == 1


async def test_one_message_in_the_making_and_one_waiting_is_left_as_it_is() -> None:
    pace = Pace(8)
    for _ in range(5):
        await held_up(pace)
        answered(pace, 0.01, PATIENCE)
    assert pace.limit == FIRST


async def test_a_worker_that_does_not_tell_its_work_teaches_nothing() -> None:
    pace = Pace(8)
    for _ in range(10):
        await held_up(pace)
        for _ in range(PATIENCE):
            pace.learn(0.01, 0.0)
    assert pace.limit == FIRST


async def test_a_message_that_is_back_before_its_worker_is_done_has_not_waited() -> None:
    pace = Pace(8)
    for _ in range(20):
        await held_up(pace)
        for _ in range(PATIENCE):
            pace.learn(0.01, 0.03)
    assert pace.limit == 8
