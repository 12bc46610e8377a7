from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from api.errors import OverloadedError
from api.line import LONG_WAIT_SECONDS, Line, Waiter
from api.standing import BURST_SECONDS
from worker.contract import MAX_ROWS_PER_MESSAGE

LONG_AGO = -1e9


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def line(told: list[int]) -> Line:
    return Line(4096, told.append)


def waiter(loop: asyncio.AbstractEventLoop, rows: int = 1, arrived: float = 0.0) -> Waiter:
    return Waiter([["00", [], None, None]] * rows, arrived, loop.create_future())


def test_who_joins_first_leaves_first_and_the_count_is_told(
    loop: asyncio.AbstractEventLoop, line: Line, told: list[int]
) -> None:
    waiters = [waiter(loop, rows) for rows in (1, 100, 1)]
    for each in waiters:
        line.join(each)
    assert line.take(0.0, LONG_AGO) == waiters
    assert told == [1, 101, 102, 0]


def test_a_batch_is_never_torn_apart(loop: asyncio.AbstractEventLoop, line: Line) -> None:
    batches = [waiter(loop, 100) for _ in range(5)]
    for batch in batches:
        line.join(batch)
    sizes = [len(line.take(0.0, LONG_AGO)) for _ in range(3)]
    assert sizes == [MAX_ROWS_PER_MESSAGE // 100] * 2 + [1]


def test_who_gave_up_and_whose_answer_would_come_too_late_is_not_sent(
    loop: asyncio.AbstractEventLoop, line: Line, told: list[int]
) -> None:
    gone, late, good = waiter(loop), waiter(loop, arrived=-2.0), waiter(loop)
    for each in (gone, late, good):
        line.join(each)
    gone.future.cancel()
    assert line.take(0.0, -1.0) == [good]
    assert told[-1] == 0


def test_more_than_the_bound_is_refused(loop: asyncio.AbstractEventLoop) -> None:
    line = Line(10, lambda _: None)
    line.join(waiter(loop, 9))
    with pytest.raises(OverloadedError):
        line.join(waiter(loop, 2))
    line.join(waiter(loop, 1))


def test_a_burst_may_stand_for_a_moment_and_not_longer(
    loop: asyncio.AbstractEventLoop, line: Line
) -> None:
    for _ in range(1000):
        line.join(waiter(loop))
    line.take(BURST_SECONDS / 2, LONG_AGO)
    line.join(waiter(loop, arrived=BURST_SECONDS))
    with pytest.raises(OverloadedError, match="745 patterns wait already"):
        line.join(waiter(loop, arrived=BURST_SECONDS * 1.01))


def test_where_the_first_is_soon_taken_a_long_line_refuses_nobody(
    loop: asyncio.AbstractEventLoop, line: Line
) -> None:
    line.join(waiter(loop, MAX_ROWS_PER_MESSAGE))
    for step in range(100):
        now = step * LONG_WAIT_SECONDS / 2
        line.join(waiter(loop, MAX_ROWS_PER_MESSAGE, now))
        line.take(now, LONG_AGO)


def test_once_less_than_a_message_waits_everybody_is_welcome_again(
    loop: asyncio.AbstractEventLoop, line: Line
) -> None:
    for _ in range(MAX_ROWS_PER_MESSAGE + 10):
        line.join(waiter(loop))
    line.take(1.0, LONG_AGO)
    for _ in range(MAX_ROWS_PER_MESSAGE):
        line.join(waiter(loop, arrived=1.0))
    line.join(waiter(loop, arrived=1.0 + BURST_SECONDS / 2))


def test_a_line_that_never_fills_a_message_refuses_nobody(
    loop: asyncio.AbstractEventLoop, line: Line
) -> None:
    line.join(waiter(loop, MAX_ROWS_PER_MESSAGE - 2))
    for moment in range(100):
        line.join(waiter(loop, arrived=float(moment)))
        line.take(float(moment), LONG_AGO)
    assert len(line) == 0
