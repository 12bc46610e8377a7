"""Listens for the results of this process's tasks and resolves who waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import structlog
from pydantic_core import from_json
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

IDLE_SECONDS = 2.0
RECONNECT_SECONDS = (0.05, 1.0)  # first pause, longest pause

Meta = dict[str, Any]
"""A Celery result: `status`, `result`, `task_id` and more."""


class Results:
    """One PSUBSCRIBE per process and a dictionary of futures.

    Redis forgets what is published while nobody listens, so after every (re)subscription the results that are
    already stored are fetched. `listening` says whether an answer could arrive at all.
    """

    def __init__(self, redis: Redis, instance: str) -> None:
        self._redis = redis
        self._prefix = f"celery-task-meta-{instance}."
        self._pending: dict[str, asyncio.Future[Meta]] = {}
        self._subscribed = asyncio.Event()

    @property
    def listening(self) -> bool:
        """Whether the subscription stands."""
        return self._subscribed.is_set()

    async def wait_until_listening(self, seconds: float) -> bool:
        """True as soon as the subscription stands, False after `seconds` without it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._subscribed.wait(), seconds)
        return self.listening

    def expect(self, task_id: str) -> asyncio.Future[Meta]:
        """The future that the result of `task_id` resolves. Call `forget` when nobody waits any more."""
        future: asyncio.Future[Meta] = asyncio.get_running_loop().create_future()
        self._pending[task_id] = future
        return future

    def forget(self, task_id: str) -> None:
        """Stop waiting for `task_id`."""
        self._pending.pop(task_id, None)

    async def fetch(self, task_id: str) -> None:
        """Look once whether the result is stored, in case its publication was lost. Raises RedisError."""
        stored = await self._redis.get(self._key(task_id))
        if stored is not None:
            self._resolve(stored)

    async def listen(self) -> None:
        """Run for ever: subscribe, recover, resolve; after a broken connection begin again."""
        pause = RECONNECT_SECONDS[0]
        while True:
            pubsub = self._redis.pubsub()
            try:
                await pubsub.psubscribe(self._prefix + "*")
                await self._receive(pubsub)
            except Exception as error:  # a listener that ends would leave everybody waiting
                structlog.get_logger().warning("results_disconnected", error=repr(error))
            finally:
                was_listening = self.listening
                self._subscribed.clear()
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
            pause = RECONNECT_SECONDS[0] if was_listening else min(pause * 2, RECONNECT_SECONDS[1])
            await asyncio.sleep(pause)

    async def _receive(self, pubsub: PubSub) -> None:
        heard_at = time.monotonic()
        while True:
            message = await pubsub.get_message(timeout=IDLE_SECONDS)
            now = time.monotonic()
            if message is None:
                if now - heard_at > 3 * IDLE_SECONDS:
                    raise OSError("the results' server is silent")
                await pubsub.ping()
                continue
            heard_at = now
            if message["type"] == "psubscribe":
                await self._recover()
                self._subscribed.set()
            elif message["type"] == "pmessage":
                self._resolve(message["data"])

    async def _recover(self) -> None:
        waiting = list(self._pending)
        if waiting:
            for stored in await self._redis.mget([self._key(task_id) for task_id in waiting]):
                if stored is not None:
                    self._resolve(stored)

    def _resolve(self, stored: bytes | str) -> None:
        """Hand a result to who waits for it; what is no result is logged and left alone."""
        try:
            meta: Meta = from_json(stored)
            task_id, _ = str(meta["task_id"]), meta["status"]
        except (ValueError, TypeError, KeyError) as error:
            structlog.get_logger().warning("result_unreadable", error=repr(error)[:200])
            return
        future = self._pending.pop(task_id, None)
        if future is not None and not future.done():
            future.set_result(meta)

    def _key(self, task_id: str) -> str:
        return "celery-task-meta-" + task_id
