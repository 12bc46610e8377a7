"""A closed loop: so many connections, each sends its next request when it has its answer.

It measures what a server can carry. It says little of latency: while the server stalls, nothing is asked.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

from bench.connection import NO_ANSWER
from bench.load import Load, Target, summed_up
from bench.wire import Wire, undisturbed

PATIENCE_SECONDS = 5.0
REST_SECONDS = 0.01  # before a connection is opened again


def run(target: Target, connections: int, seconds: float) -> Load:
    """The load of `connections` for `seconds`. Raises OSError when the target cannot be reached, or not any more."""
    loop = _ClosedLoop(target, connections, seconds)
    with undisturbed():
        return loop.run()


class _ClosedLoop:
    def __init__(self, target: Target, connections: int, seconds: float) -> None:
        self._wire = Wire(target.port, connections)
        self._requests = target.requests()
        self._connections, self._seconds = connections, seconds
        self._sent_at: list[float] = []
        self._latencies_ms: list[float] = []
        self._refused: Counter[int] = Counter()
        self._pending = 0
        self._end = 0.0

    def run(self) -> Load:
        spent, began = time.thread_time(), time.perf_counter()
        self._end = began + self._seconds
        try:
            while (now := time.perf_counter()) < self._end:
                self._ask_all()
                self._wire.wait(min(REST_SECONDS, self._end - now), self._done)
            while self._pending and time.perf_counter() < self._end + PATIENCE_SECONDS:
                self._wire.wait(REST_SECONDS, self._done)
        finally:
            self._wire.close()
        if self._pending:
            self._refused[NO_ANSWER] += self._pending
        took = time.perf_counter() - began
        load = summed_up(self._latencies_ms, took, dict(self._refused))
        return replace(load, processor_seconds=time.thread_time() - spent)

    def _ask_all(self) -> None:
        """Give a request to each connection that has none; a broken one is opened again."""
        if self._pending < self._connections:
            self._wire.reach()
        while self._pending < self._connections:
            self._ask()

    def _ask(self) -> None:
        connection = self._wire.free()
        assert connection is not None
        number = len(self._sent_at)
        self._sent_at.append(time.perf_counter())
        self._pending += 1
        self._wire.ask(connection, self._requests[number % len(self._requests)], number)

    def _done(self, number: int, status: int) -> None:
        now = time.perf_counter()
        self._pending -= 1
        if status == 200:
            self._latencies_ms.append((now - self._sent_at[number]) * 1000)
        else:
            self._refused[status] += 1
        if status != NO_ANSWER and now < self._end:
            self._ask()
