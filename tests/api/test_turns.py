"""Turns to read large bodies: one at a time, in order, and never waited for too long."""

from __future__ import annotations

import asyncio

import pytest

from api.errors import OverloadedError
from api.turns import SLICE_SECONDS, Turns


def test_a_step_lets_others_go_on_first_of_all_and_whenever_a_slice_is_over() -> None:
    now = 0.0
    others = 0

    async def work() -> list[int]:
        nonlocal now, others

        async def beside() -> None:
            nonlocal others
            while True:
                others += 1
                await asyncio.sleep(0)

        seen = []
        task = asyncio.create_task(beside())
        async with Turns(monotonic=lambda: now).mine() as step:
            for worked in (0.0, SLICE_SECONDS / 2, SLICE_SECONDS / 2, SLICE_SECONDS / 4):
                now += worked
                await step()
                seen.append(others)
        task.cancel()
        return seen

    assert asyncio.run(work()) == [1, 1, 2, 2]


def test_turns_come_one_at_a_time_and_in_order() -> None:
    happened: list[str] = []

    async def read(turns: Turns, name: str) -> None:
        async with turns.mine() as step:
            happened.append(f"{name} begins")
            await step()
            happened.append(f"{name} ends")

    async def all_at_once() -> None:
        turns = Turns()
        await asyncio.gather(*[read(turns, name) for name in "ab"])

    asyncio.run(all_at_once())
    assert happened == ["a begins", "a ends", "b begins", "b ends"]


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
def test_a_turn_that_fails_or_whose_client_leaves_is_given_back(
    error: type[BaseException],
) -> None:
    async def fail_and_read() -> bool:
        turns = Turns(wait_seconds=0.01)
        with pytest.raises(error):
            async with turns.mine():
                raise error
        async with turns.mine():
            return True

    assert asyncio.run(fail_and_read())


def test_who_waits_for_too_long_is_refused_and_takes_no_turn_from_others() -> None:
    async def wait_behind_one() -> bool:
        turns = Turns(wait_seconds=0.01)
        async with turns.mine():
            refused = await asyncio.gather(*[_wait(turns) for _ in range(3)])
            assert refused == [OverloadedError.status] * 3
        async with turns.mine():
            return True

    async def _wait(turns: Turns) -> int:
        with pytest.raises(OverloadedError) as refusal:
            async with turns.mine():
                raise AssertionError("two have a turn")
        return refusal.value.status

    assert asyncio.run(wait_behind_one())
