"""Joins waiting patterns into messages, bounds the queue, and resolves every waiter: with an answer or with an error.

What waits at the same moment shares one message; nothing is delayed in order to share. While as many messages are in
flight as keep the workers busy, what arrives waits here and the next message grows; it leaves before the answers that
made room for it are written. Every wait ends by the client's deadline.
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
    InternalError,
    ModelNotLoadedError,
    OverloadedError,
)
from api.line import Line, Row, Tell, Waiter
from api.messenger import Messenger, Outcome
from api.metrics import ApiMetrics
from api.pace import Pace, worth_a_message
from api.patience import Patience
from api.reply import Reply
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
        self._roused = self._sending = False
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
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._messenger.send(self._probe, None, time.monotonic(), partial(_resolve, future))
        result = await future
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
        if self._sending:
            return  # a message that cannot be sent is told of at once, from below
        self._sending = True
        try:
            while self._line and (share := self._pace.share(self._line.rows)):
                now = time.monotonic()
                oldest = now - self._deadlines.message_seconds
                waiters = self._line.take(oldest, share)
                if waiters:
                    self._deliver(waiters, now)
        finally:
            self._sending = False
        self._metrics.waiting_rows.set(self._line.rows)

    def _deliver(self, waiters: list[Waiter], left: float) -> None:
        """One message, from its making until everyone who waits for it is answered."""
        rows = [row for waiter in waiters for row in waiter.rows]
        for waiter in waiters:
            waiter.sent = True
        self._pace.take(len(rows))
        self._metrics.rows_per_message.observe(len(rows))
        now, newest = time.time(), waiters[-1].arrived
        argument = {
            "v": WIRE_VERSION,
            "sent": now,
            "deadline": now + self._deadlines.scoring_seconds - (left - newest),
            "rows": rows,
        }
        tell = partial(self._hear, waiters, len(rows), left)
        try:
            self._messenger.send(self._score, argument, newest, tell)
        except Exception as error:  # which none of those that it tells of is
            tell(error)

    def _hear(self, waiters: list[Waiter], rows: int, left: float, outcome: Outcome) -> None:
        self._pace.give_back(rows)
        try:
            if isinstance(outcome, Exception):
                raise outcome
            if outcome is not None:
                self._learn(waiters, left, outcome)
            if worth_a_message(self._line.rows):
                self._send()  # before the answers are written, so that no worker waits for that
            if outcome is not None:
                _share(Reply.of(outcome), rows, waiters)
        except Exception as error:
            known = isinstance(error, ApiError)
            if not known:  # its trace is logged once, not once for each who waits
                structlog.get_logger().error("message_failed", exc_info=error)
            for waiter in waiters:
                waiter.settle(error if known else InternalError())
        finally:
            # One turn of the loop later: few who wait are joined by those who come back at once.
            asyncio.get_running_loop().call_soon(self._rouse)

    def _learn(self, waiters: list[Waiter], left: float, result: dict[str, Any]) -> None:
        round_trip = time.monotonic() - left
        worked = result.get("work_seconds", 0.0)  # an older worker does not tell
        self._pace.learn(round_trip, worked)
        queued = max(0.0, round_trip - worked)
        received = left + queued
        self._metrics.queue_wait_seconds.observe_all(
            [received - waiter.arrived for waiter in waiters]
        )

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _share(answers: Reply, rows: int, waiters: list[Waiter]) -> None:
    if len(answers) != rows:
        raise InferenceFailedError("the worker's answer does not fit its question")
    end = 0
    for waiter in waiters:
        begin, end = end, end + len(waiter.rows)
        waiter.settle(answers.part(begin, end))


def _resolve(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return  # who waited has left
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _closing() -> ApiError:
    return ModelNotLoadedError("the service is shutting down")
