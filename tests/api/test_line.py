from __future__ import annotations

import pytest

from api.errors import OverloadedError
from api.line import LONG_WAIT_SECONDS, Line, Waiter
from api.standing import BURST_SECONDS
from worker.contract import MAX_ROWS_PER_MESSAGE

LONG_AGO = -1e9


@pytest.fixture
def line() -> Line:
    return Line(4096)


def waiter(rows: int = 1, arrived: float = 0.0) -> Waiter:
    return Waiter([["00", [], None, None]] * rows, arrived, lambda _: None)


def test_who_joins_first_leaves_first_and_the_rows_are_counted(line: Line) -> None:
    waiters = [waiter(rows) for rows in (1, 100, 1)]
    counts = []
    for each in waiters:
        line.join(each)
        counts.append(line.rows)
    assert line.take(0.0, LONG_AGO) == waiters
    assert [*counts, line.rows] == [1, 101, 102, 0]


def test_a_batch_is_never_torn_apart(line: Line) -> None:
    batches = [waiter(100) for _ in range(5)]
    for batch in batches:
        line.join(batch)
    sizes = [len(line.take(0.0, LONG_AGO)) for _ in range(3)]
    assert sizes == [MAX_ROWS_PER_MESSAGE // 100] * 2 + [1]


def test_no_more_are_taken_than_it_needs_to_have_enough(line: Line) -> None:
    waiters = [waiter(rows) for rows in (3, 2, 1, 100, 1)]
    for each in waiters:
        line.join(each)
    taken = [line.take(0.0, LONG_AGO, 5) for _ in range(3)]
    assert taken == [waiters[:2], waiters[2:4], waiters[4:]]


def test_who_is_left_out_takes_nobodys_place(line: Line) -> None:
    waiters = [waiter() for _ in range(4)]
    for each in waiters:
        line.join(each)
    waiters[0].done = True
    assert line.take(0.0, LONG_AGO, 2) == waiters[1:3]


def test_who_gave_up_and_whose_answer_would_come_too_late_is_not_sent(
    line: Line,
) -> None:
    gone, late, good = waiter(), waiter(arrived=-2.0), waiter()
    for each in (gone, late, good):
        line.join(each)
    gone.done = True
    assert line.take(0.0, -1.0) == [good]
    assert line.rows == 0


def test_more_than_the_bound_is_refused() -> None:
    line = Line(10)
    line.join(waiter(9))
    with pytest.raises(OverloadedError):
        line.join(waiter(2))
    line.join(waiter(1))


def test_a_burst_may_stand_for_a_moment_and_not_longer(line: Line) -> None:
    for _ in range(1000):
        line.join(waiter())
    line.take(BURST_SECONDS / 2, LONG_AGO)
    line.join(waiter(arrived=BURST_SECONDS))
    line.join(waiter(arrived=LONG_WAIT_SECONDS))
    with pytest.raises(OverloadedError, match="746 patterns wait already"):
        line.join(waiter(arrived=LONG_WAIT_SECONDS * 1.01))


def test_where_the_first_is_soon_taken_a_long_line_refuses_nobody(line: Line) -> None:
    line.join(waiter(MAX_ROWS_PER_MESSAGE))
    for step in range(100):
        now = step * LONG_WAIT_SECONDS / 2
        line.join(waiter(MAX_ROWS_PER_MESSAGE, now))
        line.take(now, LONG_AGO)


def test_once_less_than_a_message_waits_everybody_is_welcome_again(line: Line) -> None:
    for _ in range(MAX_ROWS_PER_MESSAGE + 10):
        line.join(waiter())
    line.take(1.0, LONG_AGO)
    for _ in range(MAX_ROWS_PER_MESSAGE):
        line.join(waiter(arrived=1.0))
    line.join(waiter(arrived=1.0 + BURST_SECONDS / 2))


def test_a_line_that_never_fills_a_message_refuses_nobody(line: Line) -> None:
    line.join(waiter(MAX_ROWS_PER_MESSAGE - 2))
    for moment in range(100):
        line.join(waiter(arrived=float(moment)))
        line.take(float(moment), LONG_AGO)
    assert len(line) == 0
