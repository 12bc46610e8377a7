"""A closed loop: so many connections, each sends its next request when it has its answer.

It measures what a server can carry. It says little of latency: while the server stalls, nothing is asked.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter

import uvloop

from bench.connection import Connection
from bench.load import Load, Target, summed_up

PATIENCE_SECONDS = 5.0
REST_SECONDS = 0.01  # before a connection is opened again


def run(target: Target, connections: int, seconds: float) -> Load:
    """The load of `connections` for `seconds`. Raises OSError when the target cannot be reached at all."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_ClosedLoop(target, seconds).run(connections))


class _ClosedLoop:
    def __init__(self, target: Target, seconds: float) -> None:
        self._port = target.port
        self._seconds = seconds
        self._requests = itertools.cycle(target.requests())
        self._latencies_ms: list[float] = []
        self._refused: Counter[int] = Counter()

    async def run(self, connections: int) -> Load:
        opened = [Connection(self._port) for _ in range(connections)]
        await asyncio.gather(*(connection.open() for connection in opened))
        began = time.perf_counter()
        end = began + self._seconds
        try:
            await asyncio.gather(*(self._keep_asking(connection, end) for connection in opened))
        finally:
            for connection in opened:
                connection.close()
        took = time.perf_counter() - began
        return summed_up(self._latencies_ms, took, dict(self._refused))

    async def _keep_asking(self, connection: Connection, end: float) -> None:
        """Ask until the end; what is under way then is waited for."""
        while time.perf_counter() < end:
            if not connection.is_open:
                await asyncio.sleep(REST_SECONDS)
                await connection.open()
            finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._ask(connection, end, finished)
            try:
                await asyncio.wait_for(finished, self._seconds + PATIENCE_SECONDS)
            except TimeoutError:
                self._refused[0] += 1
                connection.close()

    def _ask(self, connection: Connection, end: float, finished: asyncio.Future[None]) -> None:
        """Request after request from the parser's own callback: a task's wake-up for each would cost a third."""
        sent = time.perf_counter()

        def done(status: int) -> None:
            now = time.perf_counter()
            if status == 200:
                self._latencies_ms.append((now - sent) * 1000)
            else:
                self._refused[status] += 1
            if now < end and connection.is_open:
                self._ask(connection, end, finished)
            elif not finished.done():
                finished.set_result(None)

        connection.ask(next(self._requests), done)
