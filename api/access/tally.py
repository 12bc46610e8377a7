"""The numbers that the requests of one client get within one window of one limit, in this process.

Numbers come from the counter that all front ends share, and a high limit's come in leases: a thousandth of the limit in
one round trip. A number is given out once, so that no limit is ever exceeded; what a process has leased and not given
out by the window's end is lost to the client, at most a thousandth of the limit for each front end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

LEASES_IN_A_LIMIT: Final = 1000

Fetch = Callable[[int], Awaitable[int]]
"""Adds to the shared counter and gives the sum."""


class Tally:
    """Hands out numbers from 1 upwards; `fetch` is asked by one task at a time, for all who wait."""

    def __init__(self, window: int, amount: int, fetch: Fetch) -> None:
        self.window = window
        self._lease = max(1, amount // LEASES_IN_A_LIMIT)
        self._fetch = fetch
        self._next, self._end = 1, 0
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._fetching: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether a number is leased."""
        return self._next <= self._end

    def take(self) -> int:
        """The next number, where one is `ready`."""
        self._next += 1
        return self._next - 1

    def wait(self) -> asyncio.Future[int]:
        """The next number as soon as it is there. Raises what `fetch` raises."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._serve())
        return future

    async def _serve(self) -> None:
        try:
            while self._waiting:
                if self._next > self._end:
                    wanted = max(self._lease, len(self._waiting))
                    self._end = await self._fetch(wanted)
                    self._next = self._end - wanted + 1
                while self._waiting and self._next <= self._end:
                    future = self._waiting.popleft()
                    if not future.done():
                        future.set_result(self._next)
                        self._next += 1
        except Exception as error:  # a task that ends must leave nobody waiting
            for future in self._waiting:
                if not future.done():
                    future.set_exception(error)
            self._waiting.clear()
        finally:
            self._fetching = None
