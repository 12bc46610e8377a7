"""Who was refused and comes back at once is read a little later, where there are more of them than time to refuse.

A loop that refuses all that it can does nothing else: the answers and the messages wait in each of its turns until
thousands have been refused, and the workers run out of work.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

A_SECOND: Final = 15_000  # at 20 us each, with the reading and the writing, a third of a core
TICK_SECONDS: Final = 0.005
MOST_AT_ONCE: Final = 256


class Readable(Protocol):
    """What is read of a connection or not: uvicorn's flow control."""

    def pause_reading(self) -> None:
        """Let what arrives wait in its socket."""

    def resume_reading(self) -> None:
        """Take it."""


class Throttle:
    """Counts refusals. Of those above `a_second`, the connections wait to be read again, in order.

    At most MOST_AT_ONCE go without a wait; the refusal itself never waits.
    """

    def __init__(
        self, a_second: float = A_SECOND, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._a_second = a_second
        self._monotonic = monotonic
        self._left = float(MOST_AT_ONCE)
        self._counted = monotonic()
        self._waiting: deque[Readable] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def refused(self, connection: Readable) -> None:
        """Take note of a refusal; from here on, the connection may not be read for a moment."""
        self._left -= 1
        if self._left >= 0:
            return
        self._count()
        if self._left < 0:
            connection.pause_reading()
            self._waiting.append(connection)
            if self._timer is None:
                self._arm()

    def _count(self) -> None:
        """Adds what may be refused since the last time; a long turn of the loop is not held against who comes next."""
        now = self._monotonic()
        left = max(self._left, -MOST_AT_ONCE) + (now - self._counted) * self._a_second
        self._left, self._counted = min(MOST_AT_ONCE, left), now

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._count()
        for _ in range(min(len(self._waiting), int(self._left))):
            self._waiting.popleft().resume_reading()
        if self._waiting:
            self._arm()
