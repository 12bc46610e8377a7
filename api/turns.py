"""Who reads large bodies reads one at a time, and lets everybody else have the loop meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from api.errors import OverloadedError

# A turn of the loop for each of a batch's 200 steps made it wait for 5 to 9 s behind 2,000 connections, where a turn
# takes 40 ms.
SLICE_SECONDS: Final = 0.004
WAIT_SECONDS: Final = 2.0  # for those before; the fullest batch is read in 0.15 s

Step = Callable[[], Awaitable[None]]


class Turns:
    """Turns to read, in order. Who does not get one within `wait_seconds` is refused."""

    def __init__(
        self,
        wait_seconds: float = WAIT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait_seconds = wait_seconds
        self._monotonic = monotonic
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def mine(self) -> AsyncIterator[Step]:
        """A turn; what it gives is to be awaited before each step of the work. Raises OverloadedError."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._lock.acquire()
        except TimeoutError:
            raise OverloadedError(
                "large batches are read one after the other, and too many came before; try again, or send smaller ones"
            ) from None
        try:
            yield self._slice()
        finally:
            self._lock.release()

    def _slice(self) -> Step:
        until = float("-inf")

        async def step() -> None:
            nonlocal until
            if self._monotonic() >= until:
                await asyncio.sleep(0)
                until = self._monotonic() + SLICE_SECONDS

        return step
