"""An open loop: requests leave at a constant rate, whether or not the earlier ones have their answers.

A latency counts from the moment at which the request **should** have left, so that a stall is felt by every request
that it held up, also by those that could not be sent meanwhile (no coordinated omission). What could not be sent at all
is counted, never left out. The loop's clock has steps of a millisecond: up to that much of a latency is its own.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter, deque
from dataclasses import replace

import uvloop

from bench.connection import NO_ANSWER, Connection
from bench.load import Load, Target, summed_up

LATE_SECONDS = 0.010
CONNECTIONS = 256
LOOK_SECONDS = 0.005
PATIENCE_SECONDS = 3.0  # three times the service's own deadline


def run(
    target: Target,
    rate: float,
    seconds: float,
    connections: int = CONNECTIONS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Load:
    """`rate` requests/s for `seconds`, over at most so many connections; then wait for what is under way.

    Raises OSError when the target cannot be reached at all.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loop = OpenLoop(target, rate, seconds, connections)
        return runner.run(loop.run(patience_seconds))


class OpenLoop:
    """One run; `answered_at` afterwards holds the moments of its good answers, in seconds since its start."""

    def __init__(self, target: Target, rate: float, seconds: float, connections: int) -> None:
        self._port = target.port
        self._rate, self._seconds = rate, seconds
        self._requests = itertools.cycle(target.requests())
        self._free: deque[Connection] = deque(Connection(target.port) for _ in range(connections))
        self._waiting: deque[float] = deque()  # intended moments, oldest first
        self._under_way: dict[Connection, float] = {}
        self._latencies_ms: list[float] = []
        self._refused: Counter[int] = Counter()
        self._late = 0
        self._began = 0.0
        self._offered = 0.0
        self.sent = (
            asyncio.Event()
        )  # set when the last request was due and given out, or all has failed
        self.last_due = 0.0  # of time.perf_counter()
        self._broken: set[asyncio.Task[None]] = set()
        self.answered_at: list[float] = []

    async def run(self, patience_seconds: float) -> Load:
        """Send everything, wait for the answers at most `patience_seconds` longer, and sum up."""
        opened = list(self._free)
        try:
            await asyncio.gather(*(connection.open() for connection in opened))
            self._began = time.perf_counter()
            self.last_due = self._began + max(0.0, self._seconds - 1 / max(self._rate, 1e-9))
            await self._send_all()
            self._note_offered()
            self.sent.set()
            for _ in range(round(patience_seconds / LOOK_SECONDS)):
                if not (self._under_way or self._waiting):
                    break
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self.sent.set()
            for connection in opened:
                connection.close()
        unanswered = len(self._under_way)
        if unanswered:
            self._refused[NO_ANSWER] += unanswered
        load = summed_up(
            self._latencies_ms, self._seconds, dict(self._refused), self._late, len(self._waiting)
        )
        return replace(load, offered=self._offered)

    def _note_offered(self) -> None:
        """Requests/s that had left when the last one was given out, which is late where the loop cannot keep up."""
        took = max(self._seconds, time.perf_counter() - self._began)
        left = round(self._rate * self._seconds) - len(self._waiting)
        self._offered = left / took

    async def _send_all(self) -> None:
        count = round(self._rate * self._seconds)
        for n in range(count):
            intended = self._began + n / self._rate
            pause = intended - time.perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
            elif n % 64 == 0:
                await asyncio.sleep(0)  # behind the schedule: answers must be read all the same
            self._waiting.append(intended)
            self._send_waiting()

    def _send_waiting(self) -> None:
        while self._waiting and self._free:
            connection, intended = self._free.popleft(), self._waiting.popleft()
            if time.perf_counter() - intended > LATE_SECONDS:
                self._late += 1
            self._under_way[connection] = intended
            connection.ask(next(self._requests), lambda status, c=connection: self._done(c, status))  # type: ignore[misc]

    def _done(self, connection: Connection, status: int) -> None:
        now = time.perf_counter()
        intended = self._under_way.pop(connection)
        if status == 200:
            self._latencies_ms.append((now - intended) * 1000)
            self.answered_at.append(now - self._began)
        else:
            self._refused[status] += 1
        if connection.is_open:
            self._free.append(connection)
            self._send_waiting()
        else:
            task = asyncio.get_running_loop().create_task(self._open_again(connection))
            self._broken.add(task)
            task.add_done_callback(self._broken.discard)

    async def _open_again(self, connection: Connection) -> None:
        try:
            await connection.open()
        except OSError:
            return  # what waits for it stays unsent and is counted
        self._free.append(connection)
        self._send_waiting()
