"""The patterns that wait here to be put on the queue: bounded, in order, joined to messages as they leave."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from api.errors import OverloadedError
from api.reply import Reply
from worker.contract import MAX_ROWS_PER_MESSAGE

Row = list[Any]
Tell = Callable[[Reply | Exception], None]

# Behind so many requests, and a first one that has waited so long, one more adds delay and no throughput: who is
# there fills the next message. Fewer may be large ones, of 100 patterns each, which take longer.
CROWD: Final = 256
CROWD_SECONDS: Final = 0.05
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
        """Tell the answers, or why there are none, unless something was told before. Raises nothing."""
        if self.done:
            return
        self.done = True
        try:
            self.tell(outcome)
        except Exception as error:  # which is not for the others of its message
            structlog.get_logger().error("answer_lost", exc_info=error)


class Line:
    """Waiters in order of arrival; `rows` are theirs together."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._waiters: deque[Waiter] = deque()
        self.rows = 0

    def __len__(self) -> int:
        return len(self._waiters)

    def join(self, waiter: Waiter) -> None:
        """Take a place at the end. Raises OverloadedError where too much waits, or has waited for too long."""
        if self.rows + len(waiter.rows) > self._most_rows:
            raise _full()
        self.refuse_if_long(waiter.arrived)
        self._waiters.append(waiter)
        self.rows += len(waiter.rows)

    def refuse_if_long(self, now: float) -> None:
        """Raises OverloadedError while who joined now would only lengthen everybody's wait."""
        if self.rows >= self._most_rows:
            raise _full()
        if self.rows < CROWD:  # and so are the waiters
            return
        waited = now - self._waiters[0].arrived
        crowd = len(self._waiters) >= CROWD and waited > CROWD_SECONDS
        if crowd or waited > LONG_WAIT_SECONDS:
            raise OverloadedError("a crowd waits already, and has for too long")

    def take(self, oldest: float, enough: int = MAX_ROWS_PER_MESSAGE) -> list[Waiter]:
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
        self.rows -= gone
        return taken


def _full() -> OverloadedError:
    return OverloadedError("as many patterns wait as may (MAX_WAITING_PATTERNS)")
