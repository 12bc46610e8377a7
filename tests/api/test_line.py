from __future__ import annotations

import contextlib

import pytest

from api.capacity import Capacity
from api.errors import OverloadedError
from api.line import LEAST_CROWD, LONG_WAIT_SECONDS, TIMES_ONES_OWN, Line, Waiter
from api.standing import BURST_SECONDS
from worker.contract import MAX_ROWS_PER_MESSAGE

LONG_AGO = -1e9


@pytest.fixture
def line() -> Line:
    return Line(4096, Capacity())


def waiter(rows: int = 1, arrived: float = 0.0) -> Waiter:
    return Waiter([["00", [], None, None]] * rows, arrived, lambda _: None)


def test_who_joins_first_leaves_first_and_the_rows_are_counted(line: Line) -> None:
    waiters = [waiter(rows) for rows in (1, 100, 1)]
    counts = []
    for each in waiters:
        line.join(each)
        counts.append(line.rows)
    assert line.take(0.0, LONG_AGO, MAX_ROWS_PER_MESSAGE) == waiters
    assert [*counts, line.rows] == [1, 101, 102, 0]


def test_a_batch_is_never_torn_apart(line: Line) -> None:
    batches = [waiter(100) for _ in range(5)]
    for batch in batches:
        line.join(batch)
    sizes = [len(line.take(0.0, LONG_AGO, MAX_ROWS_PER_MESSAGE)) for _ in range(3)]
    assert sizes == [MAX_ROWS_PER_MESSAGE // 100] * 2 + [1]


def test_who_gave_up_and_whose_answer_would_come_too_late_is_not_sent(
    line: Line,
) -> None:
    gone, late, good = waiter(), waiter(arrived=-2.0), waiter()
    for each in (gone, late, good):
        line.join(each)
    gone.done = True
    assert line.take(0.0, -1.0, MAX_ROWS_PER_MESSAGE) == [good]
    assert line.rows == 0


def test_more_than_the_bound_is_refused() -> None:
    line = Line(10, Capacity())
    line.join(waiter(9))
    with pytest.raises(OverloadedError):
        line.join(waiter(2))
    line.join(waiter(1))


def test_a_burst_may_stand_for_a_moment_and_not_longer(line: Line) -> None:
    for _ in range(1000):
        line.join(waiter())
    line.take(BURST_SECONDS / 2, LONG_AGO, MAX_ROWS_PER_MESSAGE)
    line.join(waiter(arrived=BURST_SECONDS))
    line.join(waiter(arrived=LONG_WAIT_SECONDS))
    with pytest.raises(OverloadedError, match="746 patterns wait already"):
        line.join(waiter(arrived=LONG_WAIT_SECONDS * 1.01))


def test_where_the_first_is_soon_taken_a_long_line_refuses_nobody(line: Line) -> None:
    line.join(waiter(MAX_ROWS_PER_MESSAGE))
    for step in range(100):
        now = step * LONG_WAIT_SECONDS / 2
        line.join(waiter(MAX_ROWS_PER_MESSAGE, now))
        line.take(now, LONG_AGO, MAX_ROWS_PER_MESSAGE)


def test_once_less_than_a_message_waits_everybody_is_welcome_again(line: Line) -> None:
    for _ in range(MAX_ROWS_PER_MESSAGE + 10):
        line.join(waiter())
    line.take(1.0, LONG_AGO, MAX_ROWS_PER_MESSAGE)
    for _ in range(MAX_ROWS_PER_MESSAGE):
        line.join(waiter(arrived=1.0))
    line.join(waiter(arrived=1.0 + BURST_SECONDS / 2))


def test_a_line_that_never_fills_a_message_refuses_nobody(line: Line) -> None:
    line.join(waiter(MAX_ROWS_PER_MESSAGE - 2))
    for moment in range(100):
        line.join(waiter(arrived=float(moment)))
        line.take(float(moment), LONG_AGO, MAX_ROWS_PER_MESSAGE)
    assert len(line) == 0


def crowded() -> Line:
    """A line whose service answers 4,000 rows a second, and to which far more are brought."""
    capacity = Capacity()
    for number in range(20):
        capacity.answered(200, number * 0.05, held_up=True)
    capacity.arrived(10_000, 1.0)
    return Line(4096, capacity)


def test_where_more_arrive_than_are_answered_little_may_wait() -> None:
    line = crowded()
    for _ in range(LEAST_CROWD):
        line.join(waiter())
    with contextlib.suppress(OverloadedError):
        for _ in range(1000):
            line.join(waiter())
    assert len(line) <= LEAST_CROWD + 2 * TIMES_ONES_OWN
    with pytest.raises(OverloadedError, match="more patterns arrive than are answered"):
        line.join(waiter())
    line.take(1.0, LONG_AGO, 64)
    line.join(waiter())


def test_in_a_crowd_a_batch_finds_its_place_where_one_pattern_more_does_not() -> None:
    line = crowded()
    line.join(waiter(LEAST_CROWD + 2 * TIMES_ONES_OWN))
    with pytest.raises(OverloadedError):
        line.join(waiter())
    line.join(waiter(100))


def test_a_message_takes_no_more_than_its_share_but_one_whole_batch() -> None:
    line = Line(4096, Capacity())
    for rows in (100, 30, 30, 30):
        line.join(waiter(rows))
    assert [[len(each.rows) for each in line.take(0.0, LONG_AGO, 64)] for _ in range(3)] == [
        [100],
        [30, 30],
        [30],
    ]
