from __future__ import annotations

import asyncio

import pytest

from api.throttle import MOST_AT_ONCE, TICK_SECONDS, Throttle

pytestmark = pytest.mark.anyio
LONG_SECONDS = 10.0


class Clock:
    """Only a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Connection:
    """Notes whether it is read."""

    def __init__(self) -> None:
        self.read = True

    def pause_reading(self) -> None:
        self.read = False

    def resume_reading(self) -> None:
        self.read = True


def refused(throttle: Throttle, count: int) -> list[Connection]:
    connections = [Connection() for _ in range(count)]
    for connection in connections:
        throttle.refused(connection)
    return connections


async def first_tick(waiting: list[Connection]) -> None:
    """Looks in each turn of the loop, so that no second tick comes between."""
    for _ in range(10**9):
        await asyncio.sleep(0)
        if waiting[0].read:
            return


async def some_ticks() -> None:
    await asyncio.sleep(4 * TICK_SECONDS)


async def test_a_burst_of_refusals_is_read_on_and_what_is_beyond_waits() -> None:
    connections = refused(Throttle(10_000, Clock()), MOST_AT_ONCE + 3)
    assert [each.read for each in connections] == [True] * MOST_AT_ONCE + [False] * 3


async def test_who_waits_is_read_again_in_order_as_fast_as_may_be_refused() -> None:
    clock = Clock()
    throttle = Throttle(10_000, clock)
    waiting = refused(throttle, MOST_AT_ONCE + 30)[MOST_AT_ONCE:]
    await some_ticks()
    assert not any(each.read for each in waiting)
    clock.now += 0.00405  # the time of 40, and the 30 took theirs beforehand
    await first_tick(waiting)
    assert [each.read for each in waiting] == [True] * 10 + [False] * 20
    clock.now += LONG_SECONDS
    await some_ticks()
    assert all(each.read for each in waiting)


async def test_one_turn_of_the_loop_that_refused_thousands_is_made_good_in_a_moment() -> None:
    clock = Clock()
    throttle = Throttle(10_000, clock)
    waiting = refused(throttle, 20 * MOST_AT_ONCE)[MOST_AT_ONCE:]
    clock.now += (MOST_AT_ONCE + 1) / 10_000
    await first_tick(waiting)
    assert not waiting[-1].read


async def test_refusals_that_are_seldom_make_nobody_wait() -> None:
    clock = Clock()
    throttle = Throttle(1000, clock)
    for _ in range(10 * MOST_AT_ONCE):
        clock.now += 0.0011
        assert refused(throttle, 1)[0].read
