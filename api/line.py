"""The patterns that wait here to be put on the queue: bounded, in order, joined to messages as they leave."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from api.errors import OverloadedError
from api.reply import Reply
from api.standing import Standing
from worker.contract import MAX_ROWS_PER_MESSAGE

Row = list[Any]
Tell = Callable[[Reply | Exception], None]

# Where a full message has been waiting for a while, and its first pattern for so long, more behind it adds delay
# and no throughput.
LONG_WAIT_SECONDS: Final = 0.3  # of the second that a client waits


@dataclass(eq=False, slots=True)
class Waiter:
    """Who waits for the answers to some rows; `arrived` in monotonic seconds. `tell` is called once."""

    rows: list[Row]
    arrived: float
    tell: Tell
    sent: bool = False
    done: bool = False  # told, or not interested any more

    def settle(self, outcome: Reply | Exception) -> None:
        """Tell the answers, or why there are none, unless something was told before."""
        if not self.done:
            self.done = True
            self.tell(outcome)


class Line:
    """Waiters in order of arrival; `rows` are theirs together."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._waiters: deque[Waiter] = deque()
        self.rows = 0
        self._full = Standing(MAX_ROWS_PER_MESSAGE)

    def __len__(self) -> int:
        return len(self._waiters)

    def join(self, waiter: Waiter) -> None:
        """Take a place at the end. Raises OverloadedError where too much waits, or has waited for too long."""
        if self.rows + len(waiter.rows) > self._most_rows:
            raise OverloadedError(f"{self.rows} patterns wait already")
        self.refuse_if_long(waiter.arrived)
        self._waiters.append(waiter)
        self._count(len(waiter.rows), waiter.arrived)

    def refuse_if_long(self, now: float) -> None:
        """Raises OverloadedError while who joined now would only lengthen everybody's wait."""
        if self._full.stands(now) and now - self._waiters[0].arrived > LONG_WAIT_SECONDS:
            raise OverloadedError(f"{self.rows} patterns wait already, and have for too long")

    def take(self, now: float, oldest: float, enough: int = MAX_ROWS_PER_MESSAGE) -> list[Waiter]:
        """Whole waiters until they have `enough` rows or one message carries no more.

        Who gave up or arrived before `oldest` is left out.
        """
        taken: list[Waiter] = []
        rows = gone = 0
        while (
            self._waiters
            and rows < enough
            and rows + len(self._waiters[0].rows) <= MAX_ROWS_PER_MESSAGE
        ):
            waiter = self._waiters.popleft()
            gone += len(waiter.rows)
            if waiter.arrived > oldest and not waiter.done:
                taken.append(waiter)
                rows += len(waiter.rows)
        self._count(-gone, now)
        return taken

    def _count(self, rows: int, now: float) -> None:
        self.rows += rows
        self._full.see(self.rows, now)
