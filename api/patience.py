"""Ends the wait of everybody whose time is up, with one timer for all: they wait equally long, in order of arrival."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from api.line import Waiter


class Patience:
    """Calls `give_up` for each waiter that has no answer `seconds` after its arrival."""

    def __init__(self, seconds: float, give_up: Callable[[Waiter], None]) -> None:
        self._seconds = seconds
        self._give_up = give_up
        self._waiters: deque[Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, waiter: Waiter) -> None:
        """Begin to wait; those watched before must have arrived before."""
        self._forget_the_answered()
        self._waiters.append(waiter)
        if self._timer is None:
            self._arm()

    def close(self) -> list[Waiter]:
        """Give up on nobody any more; who still waits."""
        left = [waiter for waiter in self._waiters if not waiter.done]
        self._waiters.clear()
        if self._timer is not None:
            self._timer.cancel()
        return left

    def _forget_the_answered(self) -> None:
        while self._waiters and self._waiters[0].done:
            self._waiters.popleft()

    def _arm(self) -> None:
        left = self._waiters[0].arrived + self._seconds - time.monotonic()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, left), self._look)

    def _look(self) -> None:
        self._timer = None
        late = time.monotonic() - self._seconds
        self._forget_the_answered()
        while self._waiters and self._waiters[0].arrived <= late:
            self._give_up(self._waiters.popleft())
            self._forget_the_answered()
        if self._waiters:
            self._arm()
