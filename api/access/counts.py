"""Counts in Redis that several front ends share; what is wanted at the same moment is one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from redis.asyncio import Redis

PREFIX = "biometrics:limits:"


class RedisCounts:
    """Adds to counters that expire. One pipeline is on its way at a time; what comes meanwhile shares the next one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._wanted: list[tuple[str, int, int, asyncio.Future[int]]] = []
        self._sender: asyncio.Task[None] | None = None

    def incr(self, key: str, expiry: int, amount: int = 1) -> Awaitable[int]:
        """Adds to a key that lives for `expiry` seconds from now on and gives the sum. Raises RedisError, OSError."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._wanted.append((PREFIX + key, expiry, amount, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return future

    async def _send(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, []
                try:
                    sums = await self._add(wanted)
                except Exception as error:  # whoever waits must hear of it, whatever it is
                    for *_, future in wanted:
                        if not future.done():
                            future.set_exception(error)
                else:
                    for (*_, future), total in zip(wanted, sums, strict=True):
                        if not future.done():
                            future.set_result(total)
        finally:
            self._sender = None

    async def _add(self, wanted: list[tuple[str, int, int, asyncio.Future[int]]]) -> list[int]:
        pipeline = self._redis.pipeline(transaction=False)
        for key, expiry, amount, _ in wanted:
            pipeline.incrby(key, amount)
            pipeline.expire(key, expiry)
        results = await cast(Any, pipeline.execute())
        return [int(total) for total in results[::2]]
