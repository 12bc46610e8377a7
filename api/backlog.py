"""Tells when the event loop itself is the queue: when requests wait unread because too much was read before.

What waits in a socket is in no count. It shows in how much processor time the loop spends between two of its timers.
The process's own time is taken, not the clock's, so that a busy neighbour on the machine is no overload.
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


class Backlog:
    """Looks again and again from `start` to `close`."""

    def __init__(self, cpu_seconds: Callable[[], float] = time.thread_time) -> None:
        self._cpu_seconds = cpu_seconds
        self._spent = 0.0
        self._long_looks = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def long(self) -> bool:
        """Whether what is read now will have waited too long."""
        return self._long_looks >= LOOKS

    def start(self) -> None:
        """Begin to look."""
        self._spent = self._cpu_seconds()
        self._arm()

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Compare the processor time with that at the last look."""
        now = self._cpu_seconds()
        late = now - self._spent - LOOK_SECONDS > LONG_SECONDS
        self._spent = now
        self._long_looks = self._long_looks + 1 if late else 0

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._tick)

    def _tick(self) -> None:
        self.look()
        self._arm()
