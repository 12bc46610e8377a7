"""Tells when the event loop itself is the queue: when requests wait unread because too much was read before.

What waits in a socket is in no count. It shows in how much processor time the loop spends between two of its timers.
A busy neighbour on the machine makes the loop late too, with little time of its own: that is no overload, until what is
read now would hardly be answered in its time. So the clock has a bound of its own, a share of what a client waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

LOOK_SECONDS: Final = 0.05
# Beyond the time between two looks. 64 connections that are all served in one turn of the loop cost 0.02.
LONG_SECONDS: Final = 0.1
LOOKS: Final = 3  # in a row: a burst passes
# By the clock. Two looks so late are most of the time that a client waits.
LATE_SHARE: Final = 0.3
LATE_LOOKS: Final = 2


class Backlog:
    """Looks again and again from `start` to `close`. `client_wait_seconds` is how long a client waits."""

    def __init__(
        self,
        client_wait_seconds: float,
        cpu_seconds: Callable[[], float] = time.thread_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._late_seconds = client_wait_seconds * LATE_SHARE
        self._cpu_seconds = cpu_seconds
        self._monotonic = monotonic
        self._spent = self._looked = 0.0
        self._long_looks = self._late_looks = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def long(self) -> bool:
        """Whether what is read now will have waited too long."""
        return self._long_looks >= LOOKS or self._late_looks >= LATE_LOOKS

    def start(self) -> None:
        """Begin to look."""
        self._spent, self._looked = self._cpu_seconds(), self._monotonic()
        self._arm()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Compare the processor time and the clock with those at the last look."""
        spent, now = self._cpu_seconds(), self._monotonic()
        long = spent - self._spent - LOOK_SECONDS > LONG_SECONDS
        late = now - self._looked - LOOK_SECONDS > self._late_seconds
        self._spent, self._looked = spent, now
        self._long_looks = self._long_looks + 1 if long else 0
        self._late_looks = self._late_looks + 1 if late else 0

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._tick)

    def _tick(self) -> None:
        self.look()
        self._arm()
