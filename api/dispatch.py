"""Joins waiting patterns into messages, bounds the queue, and resolves every waiter: with an answer or with an error.

What waits at the same moment shares one message; nothing is delayed in order to share. While the messages in flight
reach their bound, what arrives waits here and the next message grows. Every wait ends by the client's deadline.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

import structlog

from api.errors import (
    ApiError,
    DeadlineExceededError,
    InferenceFailedError,
    ModelNotLoadedError,
    OverloadedError,
)
from api.messenger import Messenger
from api.metrics import ApiMetrics
from api.settings import Settings
from worker.contract import (
    MAX_ROWS_PER_MESSAGE,
    PROBE_TASK,
    SCORE_TASK,
    WIRE_VERSION,
    Answer,
    Deadlines,
    ProbeAnswer,
    RowError,
)

Row = list[Any]
Reply = list[Answer | RowError]


@dataclass(eq=False)
class _Waiter:
    rows: list[Row]
    arrived: float  # monotonic seconds
    future: asyncio.Future[Reply]
    sent: bool = False


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
        self._max_waiting = settings.max_waiting_patterns
        self._slots = asyncio.Semaphore(settings.max_messages_in_flight)
        self._queue: deque[_Waiter] = deque()
        self._waiters: set[_Waiter] = set()  # everyone, waiting to be sent or for the answer
        self._waiting_rows = 0
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.queue_depth = self._messenger.queue_depth
        self.totals = self._messenger.totals

    async def start(self) -> None:
        """Begin to listen and to send."""
        await self._messenger.start()
        self._spawn(self._send_for_ever())

    async def close(self) -> None:
        """Fail who still waits and close the connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for waiter in self._waiters:
            _fail(waiter, ModelNotLoadedError("the service is shutting down"))
        await self._messenger.close()

    async def score(self, rows: list[Row]) -> Reply:
        """One answer per row, in order.

        Raises OverloadedError at once when too much waits already, QueueUnavailableError at once when Redis is gone,
        ModelNotLoadedError when no worker lives at the deadline, DeadlineExceededError when one does and has not
        answered, InferenceFailedError when the worker failed.
        """
        self._messenger.refuse_if_deaf()
        if self._waiting_rows + len(rows) > self._max_waiting:
            raise OverloadedError(f"{self._waiting_rows} patterns wait already")
        waiter = _Waiter(rows, time.monotonic(), asyncio.get_running_loop().create_future())
        self._queue.append(waiter)
        self._waiters.add(waiter)
        self._count(len(rows))
        self._wake.set()
        try:
            await asyncio.wait((waiter.future,), timeout=self._deadlines.message_seconds)
            if not waiter.future.done():
                self._messenger.look_for_life()
                rest = waiter.arrived + self._deadlines.client_wait_seconds - time.monotonic()
                await asyncio.wait((waiter.future,), timeout=max(0.0, rest))
            if waiter.future.done():
                return waiter.future.result()
            self._metrics.timeouts.inc()
            waiter.future.cancel()
            raise await self._why_late(waiter)
        finally:
            self._waiters.discard(waiter)
            waiter.future.cancel()

    async def probe(self) -> ProbeAnswer:
        """What a worker that holds a model says of itself. Raises as `score` does."""
        self._messenger.refuse_if_deaf()
        result = await self._messenger.ask(self._probe, None, time.monotonic())
        if result is None:
            raise await self._messenger.why_late() or DeadlineExceededError(
                "the worker did not answer in time"
            )
        return cast(ProbeAnswer, result)

    async def _why_late(self, waiter: _Waiter) -> ApiError:
        reason = await self._messenger.why_late()
        if reason is not None:
            return reason
        if not waiter.sent:
            return OverloadedError("the pattern waited too long for its turn")
        return DeadlineExceededError("the worker did not answer in time")

    async def _send_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._slots.acquire()
                self._spawn(self._deliver(self._take()))

    def _take(self) -> list[_Waiter]:
        """As many whole waiters as one message carries; who gave up or whose answer would come too late is not sent."""
        taken: list[_Waiter] = []
        rows = 0
        oldest = time.monotonic() - self._deadlines.message_seconds
        while self._queue and rows + len(self._queue[0].rows) <= MAX_ROWS_PER_MESSAGE:
            waiter = self._queue.popleft()
            self._count(-len(waiter.rows))
            if waiter.arrived > oldest and not waiter.future.done():
                taken.append(waiter)
                rows += len(waiter.rows)
        return taken

    async def _deliver(self, waiters: list[_Waiter]) -> None:
        """One message, from its making until everyone who waits for it is answered."""
        try:
            if waiters:
                await self._exchange(waiters)
        except Exception as error:
            if not isinstance(error, ApiError):
                structlog.get_logger().error("message_failed", exc_info=error)
            for waiter in waiters:
                _fail(waiter, error)
        finally:
            self._slots.release()

    async def _exchange(self, waiters: list[_Waiter]) -> None:
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
            for waiter in waiters:
                self._metrics.queue_wait_seconds.observe(
                    left - waiter.arrived + result["queue_seconds"]
                )

    def _share(self, answers: Reply, waiters: list[_Waiter]) -> None:
        if len(answers) != sum(len(waiter.rows) for waiter in waiters):
            raise InferenceFailedError("the worker's answer does not fit its question")
        rest = iter(answers)
        for waiter in waiters:
            own = [next(rest) for _ in waiter.rows]
            if not waiter.future.done():
                waiter.future.set_result(own)

    def _count(self, rows: int) -> None:
        self._waiting_rows += rows
        self._metrics.waiting_rows.set(self._waiting_rows)

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _fail(waiter: _Waiter, error: BaseException) -> None:
    if not waiter.future.done():
        waiter.future.set_exception(error)
