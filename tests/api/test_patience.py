from __future__ import annotations

import asyncio
import time

import pytest

from api.line import Waiter
from api.patience import Patience
from api.reply import Reply

pytestmark = pytest.mark.anyio
SECONDS = 0.05


def waiter(arrived: float | None = None) -> Waiter:
    return Waiter([], time.monotonic() if arrived is None else arrived, lambda _: None)


async def test_everybody_whose_time_is_up_is_given_up_in_order_and_not_before() -> None:
    given_up: list[tuple[Waiter, float]] = []
    patience = Patience(SECONDS, lambda who: given_up.append((who, time.monotonic())))
    waiters = []
    for _ in range(5):
        waiters.append(waiter())
        patience.watch(waiters[-1])
        await asyncio.sleep(SECONDS / 5)
    await asyncio.sleep(SECONDS * 4)
    assert [who for who, _ in given_up] == waiters
    assert all(moment >= who.arrived + SECONDS for who, moment in given_up)


async def test_who_has_an_answer_is_left_alone() -> None:
    given_up: list[Waiter] = []
    patience = Patience(SECONDS, given_up.append)
    answered, gone, waits = waiter(), waiter(), waiter()
    for who in (answered, gone, waits):
        patience.watch(who)
    answered.settle(Reply.worded([]))
    gone.done = True
    await asyncio.sleep(SECONDS * 3)
    assert given_up == [waits]


async def test_it_watches_again_after_it_had_nobody_to_watch() -> None:
    given_up: list[Waiter] = []
    patience = Patience(SECONDS, given_up.append)
    for _ in range(2):
        patience.watch(waiter())
        await asyncio.sleep(SECONDS * 3)
    assert len(given_up) == 2


async def test_closed_it_gives_up_on_nobody_and_tells_who_still_waited() -> None:
    given_up: list[Waiter] = []
    patience = Patience(SECONDS, given_up.append)
    waits, answered = waiter(), waiter()
    for who in (answered, waits):
        patience.watch(who)
    answered.settle(Reply.worded([]))
    assert patience.close() == [waits]
    await asyncio.sleep(SECONDS * 2)
    assert given_up == []


async def test_who_comes_late_already_is_given_up_at_once() -> None:
    given_up: list[Waiter] = []
    patience = Patience(SECONDS, given_up.append)
    patience.watch(waiter(time.monotonic() - 1.0))
    await asyncio.sleep(SECONDS / 2)
    assert len(given_up) == 1
