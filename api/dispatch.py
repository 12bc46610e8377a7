"""Joins waiting patterns into messages, bounds the queue, and resolves every waiter: with an answer or with an error.

What waits at the same moment shares one message; nothing is delayed in order to share. While as many messages are in
flight as keep the workers busy, what arrives waits here and the next message grows. Every wait ends by the client's
deadline.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any, cast

import structlog

from api.errors import (
    ApiError,
    DeadlineExceededError,
    InferenceFailedError,
    ModelNotLoadedError,
    OverloadedError,
)
from api.line import Line, Reply, Row, Tell, Waiter
from api.messenger import Messenger
from api.metrics import ApiMetrics
from api.pace import Pace
from api.patience import Patience
from api.settings import Settings
from worker.contract import (
    PROBE_TASK,
    SCORE_TASK,
    WIRE_VERSION,
    Deadlines,
    ProbeAnswer,
)

__all__ = ["Dispatcher", "Reply", "Row"]


class Dispatcher:
    """The way from validated patterns to their answers. `start` before use, `close` after it."""

    def __init__(self, settings: Settings, metrics: ApiMetrics) -> None:
        self._deadlines = Deadlines(settings.predict_timeout_seconds)
        self._metrics = metrics
        self._messenger = Messenger(
            settings.broker_url, settings.result_url, self._deadlines, metrics
        )
        self._score = self._messenger.envelope(SCORE_TASK)
        self._probe = self._messenger.envelope(PROBE_TASK)
        self._pace = Pace(settings.max_messages_in_flight)
        self._line = Line(settings.max_waiting_patterns)
        self._patience = Patience(self._deadlines.message_seconds, self._grow_anxious)
        self._last_patience = Patience(self._deadlines.client_wait_seconds, self._give_up)
        self._roused = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.queue_depth = self._messenger.queue_depth
        self.totals = self._messenger.totals

    async def start(self) -> None:
        """Begin to listen and to send."""
        await self._messenger.start()

    async def close(self) -> None:
        """Fail who still waits and close the connections."""
        for waiter in [*self._patience.close(), *self._last_patience.close()]:
            waiter.settle(_closing())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._messenger.close()

    def refuse_if_crowded(self) -> None:
        """Raises OverloadedError where one more question would only be late; cheap, to be asked before it is read."""
        self._line.refuse_if_long(time.monotonic())

    async def score(self, rows: list[Row]) -> Reply:
        """One answer per row, in order.

        Raises OverloadedError at once when too much waits already (`api.line`), QueueUnavailableError at once when
        Redis is gone, ModelNotLoadedError when no worker lives at the deadline, DeadlineExceededError when one does
        and has not answered, InferenceFailedError when the worker failed.
        """
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        waiter = self._join(rows, partial(_resolve, future))
        try:
            return await future
        finally:
            waiter.done = True

    def submit(self, rows: list[Row], tell: Tell) -> None:
        """`score` for who does not wait: `tell` is called once, later, with the answers or the error.

        Raises at once what `score` raises at once.
        """
        self._join(rows, tell)

    def _join(self, rows: list[Row], tell: Tell) -> Waiter:
        self._messenger.refuse_if_deaf()
        waiter = Waiter(rows, time.monotonic(), tell)
        self._line.join(waiter)
        self._patience.watch(waiter)
        self._rouse()
        return waiter

    async def probe(self) -> ProbeAnswer:
        """What a worker that holds a model says of itself. Raises as `score` does."""
        self._messenger.refuse_if_deaf()
        result = await self._messenger.ask(self._probe, None, time.monotonic())
        if result is None:
            raise await self._messenger.why_late() or DeadlineExceededError(
                "the worker did not answer in time"
            )
        return cast(ProbeAnswer, result)

    def _grow_anxious(self, waiter: Waiter) -> None:
        self._messenger.look_for_life()
        self._last_patience.watch(waiter)

    def _give_up(self, waiter: Waiter) -> None:
        self._metrics.timeouts.inc()
        self._spawn(self._explain(waiter))

    async def _explain(self, waiter: Waiter) -> None:
        try:
            waiter.settle(await self._why_late(waiter))
        finally:
            waiter.settle(_closing())

    async def _why_late(self, waiter: Waiter) -> ApiError:
        reason = await self._messenger.why_late()
        if reason is not None:
            return reason
        if not waiter.sent:
            return OverloadedError("the pattern waited too long for its turn")
        return DeadlineExceededError("the worker did not answer in time")

    def _rouse(self) -> None:
        """Sends what waits when everything that has arrived by now has been read."""
        if not self._roused:
            self._roused = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._roused = False
        while self._line and self._pace.take():
            oldest = time.monotonic() - self._deadlines.message_seconds
            self._spawn(self._deliver(self._line.take(oldest)))
        self._metrics.waiting_rows.set(self._line.rows)

    async def _deliver(self, waiters: list[Waiter]) -> None:
        """One message, from its making until everyone who waits for it is answered."""
        try:
            if waiters:
                await self._exchange(waiters)
        except Exception as error:
            if not isinstance(error, ApiError):
                structlog.get_logger().error("message_failed", exc_info=error)
            for waiter in waiters:
                waiter.settle(error)
        finally:
            self._pace.give_back()
            self._rouse()

    async def _exchange(self, waiters: list[Waiter]) -> None:
        rows = [row for waiter in waiters for row in waiter.rows]
        now, left = time.time(), time.monotonic()
        newest = waiters[-1].arrived
        argument = {
            "v": WIRE_VERSION,
            "sent": now,
            "deadline": now + self._deadlines.scoring_seconds - (left - newest),
            "rows": rows,
        }
        for waiter in waiters:
            waiter.sent = True
        self._metrics.rows_per_message.observe(len(rows))
        result = await self._messenger.ask(self._score, argument, newest)
        if result is not None:
            self._share(result["rows"], waiters)
            round_trip = time.monotonic() - left
            worked = result.get("work_seconds", 0.0)  # an older worker does not tell
            self._pace.learn(round_trip, worked)
            queued = max(0.0, round_trip - worked)
            for waiter in waiters:
                self._metrics.queue_wait_seconds.observe(left - waiter.arrived + queued)

    def _share(self, answers: Reply, waiters: list[Waiter]) -> None:
        if len(answers) != sum(len(waiter.rows) for waiter in waiters):
            raise InferenceFailedError("the worker's answer does not fit its question")
        rest = iter(answers)
        for waiter in waiters:
            waiter.settle([next(rest) for _ in waiter.rows])

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _resolve(future: asyncio.Future[Reply], outcome: Reply | Exception) -> None:
    if future.done():
        return  # who waited has left
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _closing() -> ApiError:
    return ModelNotLoadedError("the service is shutting down")
