"""Puts messages on the queue: one LPUSH each, and none waits for the reply to the one before."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis

from api.link import Link
from api.redis_client import COMMAND_TIMEOUT_SECONDS

RECONNECT_SECONDS: Final = (0.05, 1.0)  # first pause, longest pause
MOST_TRIES: Final = 2  # a server that was restarted is asked once more, one that hangs is not


@dataclass(eq=False, slots=True)
class _Push:
    payload: bytes
    failed: Callable[[Exception], None]
    sent_at: float = 0.0
    tries: int = 0


class Publisher:
    """One connection to the broker, renewed by `keep`. A push that fails says so once; one that succeeds is silent."""

    def __init__(self, redis: Redis, queue: str) -> None:
        self._redis = redis
        self._queue = queue
        self._link: Link | None = None
        self._away: Exception | None = None  # why there is no server, between two attempts
        self._unsent: deque[_Push] = deque()  # while the connection is being made
        self._unconfirmed: deque[_Push] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def push(self, payload: bytes, failed: Callable[[Exception], None]) -> None:
        """Put a message on the queue; `failed` is called, perhaps at once, where that cannot be."""
        push = _Push(payload, failed)
        if self._link is not None:
            self._write(self._link, push)
        elif self._away is not None:
            failed(self._away)
        else:
            self._unsent.append(push)

    async def keep(self) -> None:
        """Run for ever: connect, wait until the connection is lost, begin again."""
        pause = RECONNECT_SECONDS[0]
        while True:
            try:
                await self._connected()
                pause = RECONNECT_SECONDS[0]
            except Exception as error:  # a keeper that ends would leave everybody waiting
                self._away = error
                self._fail(self._unsent, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, RECONNECT_SECONDS[1])

    async def _connected(self) -> None:
        """From a connection's making to its loss."""
        link = Link(self._hear)
        try:
            await link.open(self._redis)
            self._link, self._away = link, None
            while self._unsent:
                self._write(link, self._unsent.popleft())
            await link.lost
        finally:
            self._link = None
            link.close()
        again = [push for push in self._unconfirmed if push.tries < MOST_TRIES]
        lost = deque(push for push in self._unconfirmed if push.tries >= MOST_TRIES)
        self._unconfirmed.clear()
        self._unsent.extendleft(reversed(again))
        self._fail(lost, OSError("the connection was lost"))

    def _write(self, link: Link, push: _Push) -> None:
        push.sent_at, push.tries = time.monotonic(), push.tries + 1
        self._unconfirmed.append(push)
        link.send("LPUSH", self._queue, push.payload)
        if self._timer is None:
            self._arm(COMMAND_TIMEOUT_SECONDS)

    def _hear(self, reply: Any) -> None:
        if self._unconfirmed:
            push = self._unconfirmed.popleft()
            if isinstance(reply, Exception):
                push.failed(reply)

    def _arm(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """Gives a server up that has not replied in time."""
        self._timer = None
        if not self._unconfirmed:
            return
        left = self._unconfirmed[0].sent_at + COMMAND_TIMEOUT_SECONDS - time.monotonic()
        if left > 0:
            self._arm(left)
            return
        self._fail(self._unconfirmed, TimeoutError("the server does not reply"))
        if self._link is not None:
            self._link.close()

    @staticmethod
    def _fail(pushes: deque[_Push], error: Exception) -> None:
        while pushes:
            pushes.popleft().failed(error)
