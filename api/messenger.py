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
from functools import partial
from typing import Any, cast

from redis.exceptions import RedisError

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
from api.publisher import Publisher
from api.redis_client import open_redis
from api.reply import Meta
from api.results import Results
from worker.celery_app import create_celery
from worker.contract import ALIVE_KEY, ONLINE_QUEUE, STATS_KEY, Deadlines

FIRST_SUBSCRIPTION_SECONDS = 0.5
LAST_LOOK_SECONDS = 0.05  # before the end: is the answer stored though its publication was lost?
ALIVE_CACHE_SECONDS = 0.1
LATE_SECONDS = 0.1  # what finding out why an answer is late may add to the client's wait
OUT_OF_MEMORY = "OOM"  # how a server's refusal to store more begins
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
        self._publisher = Publisher(self._broker, ONLINE_QUEUE)
        self._store = open_redis(result_url)
        self._subscriber = open_redis(result_url, retries=0)
        self._results = Results(self._subscriber, self._instance)
        self._celery = create_celery(broker_url)
        self._numbers = itertools.count()
        self._keepers: list[asyncio.Task[None]] = []
        self._life: asyncio.Task[bool | None] | None = None
        self._looked = float("-inf")

    async def start(self) -> None:
        """Subscribe to the results. A server that is down is no error here: it may come."""
        self._keepers = [
            asyncio.create_task(self._publisher.keep()),
            asyncio.create_task(self._results.listen()),
        ]
        await self._results.wait_until_listening(FIRST_SUBSCRIPTION_SECONDS)

    async def close(self) -> None:
        """Stop listening and close the connections."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
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
        left = time.monotonic()
        end = newest + self._deadlines.client_wait_seconds
        timer = asyncio.get_running_loop().call_later(
            max(0.0, end - LAST_LOOK_SECONDS - left), _give_up, future
        )
        try:
            self._publisher.push(payload, partial(self._unsent, future))
            if not future.done():
                self._metrics.messages_sent.inc()
            meta = await _in_time(future)
            if meta is None:
                meta = await self._last_look(task_id, end)
            if meta is None:
                await self._withdraw(payload)
                return None
            self._metrics.round_trip_seconds.observe(time.monotonic() - left)
            return _result_of(meta)
        finally:
            timer.cancel()
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

    def _unsent(self, future: asyncio.Future[Meta], error: Exception) -> None:
        self._metrics.publish_failures.inc()
        if future.done():
            return
        if str(error).startswith(OUT_OF_MEMORY):
            refusal: ApiError = OverloadedError("the queue's server is out of memory")
        else:
            refusal = QueueUnavailableError("the queue cannot be reached")
        refusal.__cause__ = error
        future.set_exception(refusal)

    async def _last_look(self, task_id: str, end: float) -> Meta | None:
        future = self._results.expect(task_id)
        with contextlib.suppress(RedisError, OSError):
            await self._results.fetch(task_id)
        await asyncio.wait((future,), timeout=max(0.0, end - time.monotonic()))
        return future.result() if future.done() else None

    async def _withdraw(self, payload: bytes) -> None:
        with contextlib.suppress(RedisError, OSError):
            await cast(Any, self._broker.lrem(ONLINE_QUEUE, 1, cast(str, payload)))


def _give_up(future: asyncio.Future[Meta]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


async def _in_time(future: asyncio.Future[Meta]) -> Meta | None:
    try:
        return await future
    except TimeoutError:
        return None


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
