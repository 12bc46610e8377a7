"""Sends one Celery message and awaits its result; the only file of the front end that knows Celery's names.

`ask` never waits past the message's end, and takes what nobody waits for any more back out of the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import time
import uuid
from typing import Any, cast

from redis.exceptions import OutOfMemoryError, RedisError

from api.envelope import EnvelopeFactory
from api.errors import (
    ApiError,
    DeadlineExceededError,
    InferenceFailedError,
    ModelNotLoadedError,
    OverloadedError,
    QueueUnavailableError,
)
from api.metrics import ApiMetrics
from api.redis_client import open_redis
from api.results import Meta, Results
from worker.celery_app import create_celery
from worker.contract import ALIVE_KEY, ONLINE_QUEUE, STATS_KEY, Deadlines

FIRST_SUBSCRIPTION_SECONDS = 0.5
LAST_LOOK_SECONDS = 0.05  # before the end: is the answer stored though its publication was lost?
ALIVE_CACHE_SECONDS = 0.1
LATE_SECONDS = 0.1  # what finding out why an answer is late may add to the client's wait
TOTALS = ("predictions", "inference_ms_sum", "confidence_sum", "anomalies")


class Messenger:
    """One connection to the broker, one to the results, one subscription. `start` before use, `close` after it."""

    def __init__(
        self, broker_url: str, result_url: str, deadlines: Deadlines, metrics: ApiMetrics
    ) -> None:
        self._instance = uuid.uuid4().hex
        self._deadlines = deadlines
        self._metrics = metrics
        self._broker = open_redis(broker_url)
        self._store = open_redis(result_url)
        self._subscriber = open_redis(result_url, retries=0)
        self._results = Results(self._subscriber, self._instance)
        self._celery = create_celery(broker_url)
        self._numbers = itertools.count()
        self._listener: asyncio.Task[None] | None = None
        self._life: asyncio.Task[bool | None] | None = None
        self._looked = float("-inf")

    async def start(self) -> None:
        """Subscribe to the results. A server that is down is no error here: it may come."""
        self._listener = asyncio.create_task(self._results.listen())
        await self._results.wait_until_listening(FIRST_SUBSCRIPTION_SECONDS)

    async def close(self) -> None:
        """Stop listening and close the connections."""
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
        await asyncio.gather(self._broker.aclose(), self._store.aclose(), self._subscriber.aclose())

    def envelope(self, task: str) -> EnvelopeFactory:
        """What makes messages for `task` on the online queue."""
        return EnvelopeFactory(self._celery, task, ONLINE_QUEUE, self._instance)

    def refuse_if_deaf(self) -> None:
        """Raises QueueUnavailableError while no answer could arrive."""
        if not self._results.listening:
            raise QueueUnavailableError("the results cannot be received: Redis does not answer")

    async def ask(
        self, envelope: EnvelopeFactory, argument: dict[str, Any] | None, newest: float
    ) -> dict[str, Any] | None:
        """The task's result, or None when there is none at the deadline of the newest waiter (monotonic seconds).

        Raises QueueUnavailableError when the message cannot be sent, InferenceFailedError when the task failed,
        DeadlineExceededError when the worker found it too old to begin.
        """
        task_id = f"{self._instance}.{next(self._numbers)}"
        age = time.monotonic() - newest
        expires = time.time() + self._deadlines.message_seconds - age
        payload = envelope.build(task_id, argument, expires)
        future = self._results.expect(task_id)
        try:
            await self._push(payload)
            sent = time.monotonic()
            meta = await self._await_result(future, task_id, newest)
            if meta is None:
                await self._withdraw(payload)
                return None
            self._metrics.round_trip_seconds.observe(time.monotonic() - sent)
            return _result_of(meta)
        finally:
            self._results.forget(task_id)

    def look_for_life(self) -> None:
        """Ask whether a worker lives, for all whose answers are getting late; `why_late` tells what came of it."""
        if self._life is None or (
            self._life.done() and time.monotonic() - self._looked > ALIVE_CACHE_SECONDS
        ):
            self._life = asyncio.create_task(self._is_somebody_alive())
            self._looked = time.monotonic()

    async def why_late(self) -> ApiError | None:
        """The error to tell when no worker lives or Redis is gone; None while a worker lives."""
        self.look_for_life()
        assert self._life is not None
        await asyncio.wait((self._life,), timeout=LATE_SECONDS)
        if not self._life.done() or self._life.result() is None:
            return QueueUnavailableError("the queue cannot be reached")
        return None if self._life.result() else ModelNotLoadedError()

    async def _is_somebody_alive(self) -> bool | None:
        try:
            return bool(await self._store.exists(ALIVE_KEY))
        except (RedisError, OSError):
            return None

    async def queue_depth(self) -> int:
        """Messages that wait in the online queue. Raises QueueUnavailableError."""
        try:
            return int(await cast(Any, self._broker.llen(ONLINE_QUEUE)))
        except (RedisError, OSError) as error:
            raise QueueUnavailableError("the queue cannot be reached") from error

    async def totals(self) -> dict[str, float]:
        """Figures over all processes since the counters began. Raises QueueUnavailableError."""
        try:
            stored = await cast(Any, self._store.hgetall(STATS_KEY))
        except (RedisError, OSError) as error:
            raise QueueUnavailableError("the figures cannot be read") from error
        return {name: _finite(stored.get(name.encode())) for name in TOTALS}

    async def _push(self, payload: bytes) -> None:
        try:
            await cast(Any, self._broker.lpush(ONLINE_QUEUE, payload))
        except OutOfMemoryError as error:
            self._metrics.publish_failures.inc()
            raise OverloadedError("the queue's server is out of memory") from error
        except (RedisError, OSError) as error:
            self._metrics.publish_failures.inc()
            raise QueueUnavailableError("the queue cannot be reached") from error
        self._metrics.messages_sent.inc()

    async def _await_result(
        self, future: asyncio.Future[Meta], task_id: str, newest: float
    ) -> Meta | None:
        end = newest + self._deadlines.client_wait_seconds
        await asyncio.wait((future,), timeout=end - LAST_LOOK_SECONDS - time.monotonic())
        if not future.done():
            with contextlib.suppress(RedisError, OSError):
                await self._results.fetch(task_id)
            await asyncio.wait((future,), timeout=max(0.0, end - time.monotonic()))
        return future.result() if future.done() else None

    async def _withdraw(self, payload: bytes) -> None:
        with contextlib.suppress(RedisError, OSError):
            await cast(Any, self._broker.lrem(ONLINE_QUEUE, 1, cast(str, payload)))


def _finite(stored: bytes | None) -> float:
    """A stored figure; 0 for what is none, since others may write to the server."""
    try:
        value = float(stored or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0


def _result_of(meta: Meta) -> dict[str, Any]:
    if meta["status"] == "REVOKED":
        raise DeadlineExceededError("the pattern waited too long in the queue")
    if meta["status"] != "SUCCESS":
        raise InferenceFailedError("the worker failed on this message")
    return cast(dict[str, Any], meta["result"])
