"""Listens for the results of this process's tasks and tells who waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import structlog
from redis.asyncio import Redis

from api.link import Link
from api.redis_client import COMMAND_TIMEOUT_SECONDS
from api.reply import Meta, read

IDLE_SECONDS = 2.0
RECONNECT_SECONDS = (0.05, 1.0)  # first pause, longest pause

Tell = Callable[[Meta], None]


class Results:
    """One PSUBSCRIBE per process and a dictionary of who is to be told.

    Redis forgets what is published while nobody listens, so after every (re)subscription the results that are
    already stored are fetched. `listening` says whether an answer could arrive at all.
    """

    def __init__(self, redis: Redis, instance: str) -> None:
        self._redis = redis
        self._prefix = f"celery-task-meta-{instance}."
        self._pending: dict[str, Tell] = {}
        self._confirmed = asyncio.Event()  # by the server
        self._subscribed = asyncio.Event()  # and what was missed is fetched

    @property
    def listening(self) -> bool:
        """Whether the subscription stands."""
        return self._subscribed.is_set()

    async def wait_until_listening(self, seconds: float) -> bool:
        """True as soon as the subscription stands, False after `seconds` without it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._subscribed.wait(), seconds)
        return self.listening

    def expect(self, task_id: str, tell: Tell) -> None:
        """Have `tell` called once with the result of `task_id`, unless `forget` is called before. It must not raise."""
        self._pending[task_id] = tell

    def forget(self, task_id: str) -> None:
        """Stop waiting for `task_id`."""
        self._pending.pop(task_id, None)

    async def fetch(self, task_id: str) -> None:
        """Look once whether the result is stored, in case its publication was lost. Raises RedisError."""
        stored = await self._redis.get(self._key(task_id))
        if stored is not None:
            self._hand_out(stored)

    async def listen(self) -> None:
        """Run for ever: subscribe, recover, hand out; after a broken connection begin again."""
        pause = RECONNECT_SECONDS[0]
        while True:
            link = Link(self._hear)
            self._confirmed.clear()
            try:
                await link.open(self._redis)
                link.send("PSUBSCRIBE", self._prefix + "*")
                await self._watch(link)
            except Exception as error:  # a listener that ends would leave everybody waiting
                structlog.get_logger().warning("results_disconnected", error=repr(error))
            finally:
                was_listening = self.listening
                self._subscribed.clear()
                link.close()
            pause = RECONNECT_SECONDS[0] if was_listening else min(pause * 2, RECONNECT_SECONDS[1])
            await asyncio.sleep(pause)

    async def _watch(self, link: Link) -> None:
        """From the subscription to its end, which raises OSError or RedisError."""
        await asyncio.wait_for(self._confirmed.wait(), COMMAND_TIMEOUT_SECONDS)
        await self._recover()
        self._subscribed.set()
        while True:
            await asyncio.wait((link.lost,), timeout=IDLE_SECONDS)
            if link.lost.done():
                raise OSError("the results' server has hung up")
            idle_seconds = time.monotonic() - link.heard_at
            if idle_seconds > 3 * IDLE_SECONDS:
                raise OSError("the results' server is silent")
            if idle_seconds > IDLE_SECONDS / 2:
                link.send("PING")

    def _hear(self, reply: Any) -> None:
        if not isinstance(reply, list):
            return  # to a PING
        if reply[0] == b"pmessage":
            self._hand_out(reply[3])
        elif reply[0] == b"psubscribe":
            self._confirmed.set()

    async def _recover(self) -> None:
        waiting = list(self._pending)
        if waiting:
            for stored in await self._redis.mget([self._key(task_id) for task_id in waiting]):
                if stored is not None:
                    self._hand_out(stored)

    def _hand_out(self, stored: bytes | str) -> None:
        """Hand a result to who waits for it; what is no result is logged and left alone."""
        try:
            meta = read(stored)
            task_id, _ = str(meta["task_id"]), meta["status"]
        except (ValueError, TypeError, KeyError) as error:
            structlog.get_logger().warning("result_unreadable", error=repr(error)[:200])
            return
        tell = self._pending.pop(task_id, None)
        if tell is not None:
            tell(meta)

    def _key(self, task_id: str) -> str:
        return "celery-task-meta-" + task_id
