"""Sends one Celery message and tells its result; the only file of the front end that knows Celery's names.

`send` never waits past the message's end, and takes what nobody waits for any more back out of the queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
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

Outcome = dict[str, Any] | None | Exception
Tell = Callable[[Outcome], None]


@dataclass(eq=False, slots=True)
class _Asked:
    """A message on its way; `left` and `end` in monotonic seconds."""

    task_id: str
    payload: bytes
    left: float
    end: float
    tell: Tell
    timer: asyncio.TimerHandle | None = None


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
        self._asked: set[_Asked] = set()
        self._looks: set[asyncio.Task[None]] = set()
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
        """Stop listening, tell who still waits, and close the connections."""
        keepers = [*self._keepers, *self._looks]
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        for asked in tuple(self._asked):
            self._end(asked, ModelNotLoadedError("the service is shutting down"))
        await asyncio.gather(self._broker.aclose(), self._store.aclose(), self._subscriber.aclose())

    def envelope(self, task: str) -> EnvelopeFactory:
        """What makes messages for `task` on the online queue."""
        return EnvelopeFactory(self._celery, task, ONLINE_QUEUE, self._instance)

    def refuse_if_deaf(self) -> None:
        """Raises QueueUnavailableError while no answer could arrive."""
        if not self._results.listening:
            raise QueueUnavailableError("the results cannot be received: Redis does not answer")

    def send(
        self,
        envelope: EnvelopeFactory,
        argument: dict[str, Any] | None,
        newest: float,
        tell: Tell,
    ) -> None:
        """Put a message on the queue. `tell` is called once, perhaps at once, with the task's result or an error.

        It is None when there is no result at the deadline of the newest waiter (monotonic seconds). The errors are
        QueueUnavailableError when the message cannot be sent, InferenceFailedError when the task failed,
        DeadlineExceededError when the worker found it too old to begin.
        """
        task_id = f"{self._instance}.{next(self._numbers)}"
        left = time.monotonic()
        expires = time.time() + self._deadlines.message_seconds - (left - newest)
        payload = envelope.build(task_id, argument, expires)
        end = newest + self._deadlines.client_wait_seconds
        asked = _Asked(task_id, payload, left, end, tell)
        last_look = max(0.0, end - LAST_LOOK_SECONDS - left)
        asked.timer = asyncio.get_running_loop().call_later(last_look, self._grow_late, asked)
        self._asked.add(asked)
        self._results.expect(task_id, partial(self._arrived, asked))
        self._publisher.push(payload, partial(self._unsent, asked))
        if asked in self._asked:
            self._metrics.messages_sent.inc()

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

    def _arrived(self, asked: _Asked, meta: Meta) -> None:
        self._metrics.round_trip_seconds.observe(time.monotonic() - asked.left)
        try:
            outcome: Outcome = _result_of(meta)
        except Exception as error:  # which is for who waits, not for the subscription
            outcome = error
        self._end(asked, outcome)

    def _unsent(self, asked: _Asked, error: Exception) -> None:
        self._metrics.publish_failures.inc()
        if str(error).startswith(OUT_OF_MEMORY):
            refusal: ApiError = OverloadedError("the queue's server is out of memory")
        else:
            refusal = QueueUnavailableError("the queue cannot be reached")
        refusal.__cause__ = error
        self._end(asked, refusal)

    def _end(self, asked: _Asked, outcome: Outcome) -> None:
        if asked not in self._asked:
            return
        self._asked.discard(asked)
        self._results.forget(asked.task_id)
        if asked.timer is not None:
            asked.timer.cancel()
        asked.tell(outcome)

    def _grow_late(self, asked: _Asked) -> None:
        task = asyncio.create_task(self._last_look(asked))
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    async def _last_look(self, asked: _Asked) -> None:
        outcome: Outcome = None
        try:
            with contextlib.suppress(RedisError, OSError):
                await self._results.fetch(asked.task_id)
            await asyncio.sleep(max(0.0, asked.end - time.monotonic()))
            if asked in self._asked:
                await self._withdraw(asked.payload)
        except Exception as error:  # a message that never ends would keep its turn for ever
            outcome = error
        self._end(asked, outcome)

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
