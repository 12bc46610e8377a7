from __future__ import annotations

import pytest

from api.errors import OverloadedError
from api.line import CROWD, CROWD_SECONDS, LONG_WAIT_SECONDS, Line, Waiter
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
    assert line.take(LONG_AGO) == waiters
    assert [*counts, line.rows] == [1, 101, 102, 0]


def test_a_batch_is_never_torn_apart(line: Line) -> None:
    batches = [waiter(100) for _ in range(5)]
    for batch in batches:
        line.join(batch)
    sizes = [len(line.take(LONG_AGO)) for _ in range(3)]
    assert sizes == [MAX_ROWS_PER_MESSAGE // 100] * 2 + [1]


def test_no_more_are_taken_than_it_needs_to_have_enough(line: Line) -> None:
    waiters = [waiter(rows) for rows in (3, 2, 1, 100, 1)]
    for each in waiters:
        line.join(each)
    taken = [line.take(LONG_AGO, 5) for _ in range(3)]
    assert taken == [waiters[:2], waiters[2:4], waiters[4:]]


def test_who_is_left_out_takes_nobodys_place(line: Line) -> None:
    waiters = [waiter() for _ in range(4)]
    for each in waiters:
        line.join(each)
    waiters[0].done = True
    assert line.take(LONG_AGO, 2) == waiters[1:3]


def test_who_gave_up_and_whose_answer_would_come_too_late_is_not_sent(
    line: Line,
) -> None:
    gone, late, good = waiter(), waiter(arrived=-2.0), waiter()
    for each in (gone, late, good):
        line.join(each)
    gone.done = True
    assert line.take(-1.0) == [good]
    assert line.rows == 0


def test_more_than_the_bound_is_refused() -> None:
    line = Line(10)
    line.join(waiter(9))
    with pytest.raises(OverloadedError):
        line.join(waiter(2))
    line.join(waiter(1))


def test_a_line_that_is_full_says_so_before_another_request_is_read() -> None:
    line = Line(10)
    line.join(waiter(10))
    with pytest.raises(OverloadedError, match="MAX_WAITING_PATTERNS"):
        line.refuse_if_long(0.0)


def test_a_burst_is_welcome_and_who_comes_behind_a_crowd_that_has_waited_is_not(line: Line) -> None:
    for _ in range(1000):
        line.join(waiter())
    line.join(waiter(arrived=CROWD_SECONDS))
    with pytest.raises(OverloadedError, match="a crowd waits"):
        line.join(waiter(arrived=CROWD_SECONDS * 1.01))


def test_once_less_than_a_crowd_waits_everybody_is_welcome_again(line: Line) -> None:
    for _ in range(MAX_ROWS_PER_MESSAGE + CROWD - 1):
        line.join(waiter())
    line.take(LONG_AGO)
    line.join(waiter(arrived=LONG_WAIT_SECONDS * 0.9))


def test_where_the_first_is_soon_taken_a_long_line_refuses_nobody(line: Line) -> None:
    for step in range(100):
        now = step * CROWD_SECONDS / 2
        for _ in range(MAX_ROWS_PER_MESSAGE):
            line.join(waiter(arrived=now))
        if step:
            line.take(LONG_AGO)


def test_a_few_with_many_patterns_may_wait_longer_and_not_for_too_long(line: Line) -> None:
    for _ in range(5):
        line.join(waiter(100))
    line.join(waiter(100, arrived=LONG_WAIT_SECONDS))
    with pytest.raises(OverloadedError, match="a crowd waits"):
        line.join(waiter(100, arrived=LONG_WAIT_SECONDS * 1.01))


def test_a_line_that_never_fills_a_message_refuses_nobody(line: Line) -> None:
    line.join(waiter(MAX_ROWS_PER_MESSAGE - 2))
    for moment in range(100):
        line.join(waiter(arrived=float(moment)))
        line.take(LONG_AGO)
    assert len(line) == 0
