"""The patterns that wait here to be put on the queue: bounded, in order, joined to messages as they leave."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from api.errors import OverloadedError
from worker.contract import MAX_ROWS_PER_MESSAGE, Answer, RowError

Row = list[Any]
Reply = list[Answer | RowError]

# A full message that waits makes the next one no bigger: more behind it adds delay and no throughput. A burst may stand
# for so long, whatever its size below the bound.
BURST_SECONDS: Final = 0.2


@dataclass(eq=False)
class Waiter:
    """Who waits for the answers to some rows; `arrived` in monotonic seconds."""

    rows: list[Row]
    arrived: float
    future: asyncio.Future[Reply]
    sent: bool = False


class Line:
    """Waiters in order of arrival. `tell` is told how many rows wait."""

    def __init__(self, most_rows: int, tell: Callable[[int], None]) -> None:
        self._most_rows = most_rows
        self._tell = tell
        self._waiters: deque[Waiter] = deque()
        self._rows = 0
        self._full_since: float | None = None  # a full message has been waiting ever since

    def __len__(self) -> int:
        return len(self._waiters)

    def join(self, waiter: Waiter) -> None:
        """Take a place at the end. Raises OverloadedError where too much waits, or too much has waited for too long."""
        if self._rows + len(waiter.rows) > self._most_rows or self._stands(waiter.arrived):
            raise OverloadedError(f"{self._rows} patterns wait already")
        self._waiters.append(waiter)
        self._count(len(waiter.rows), waiter.arrived)

    def take(self, now: float, oldest: float) -> list[Waiter]:
        """As many whole waiters as one message carries; who gave up or arrived before `oldest` is left out."""
        taken: list[Waiter] = []
        rows = gone = 0
        while self._waiters and rows + len(self._waiters[0].rows) <= MAX_ROWS_PER_MESSAGE:
            waiter = self._waiters.popleft()
            gone += len(waiter.rows)
            if waiter.arrived > oldest and not waiter.future.done():
                taken.append(waiter)
                rows += len(waiter.rows)
        self._count(-gone, now)
        return taken

    def _stands(self, now: float) -> bool:
        return self._full_since is not None and now - self._full_since > BURST_SECONDS

    def _count(self, rows: int, now: float) -> None:
        self._rows += rows
        self._tell(self._rows)
        if self._rows < MAX_ROWS_PER_MESSAGE:
            self._full_since = None
        elif self._full_since is None:
            self._full_since = now
