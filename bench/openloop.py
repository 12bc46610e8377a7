"""An open loop: requests leave at a constant rate, whether or not the earlier ones have their answers.

A latency counts from the moment at which the request **should** have left, so that a stall is felt by every request
that it held up, also by those that could not be sent meanwhile (no coordinated omission). A request that finds all
connections busy gets a new one, as a new client would. What could not be sent at all is counted, never left out.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections import Counter
from dataclasses import replace
from itertools import repeat

from bench.connection import NO_ANSWER, Connection
from bench.load import Load, Target, summed_up
from bench.wire import Wire, undisturbed

LATE_SECONDS = 0.010
CONNECTIONS = 8192  # opened one by one, and only when all others are busy
PATIENCE_SECONDS = 3.0  # three times the service's own deadline
# What is due within so short a time leaves together. To wake up for each costs three times the processor at 6,000/s.
TICK_SECONDS = 0.001
LOOK_SECONDS = 0.1  # between two looks whether there is still something to wait for
BURST = 64  # so many that are behind the schedule leave before answers are read again
NEVER = -1.0


def run(
    target: Target,
    rate: float,
    seconds: float,
    connections: int = CONNECTIONS,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Load:
    """`rate` requests/s for `seconds`, over at most so many connections; then wait for what is under way.

    What found no connection meanwhile is sent late, and not at all after `patience_seconds` more. What was sent last
    has as long for its answer.

    Raises OSError when the target cannot be reached at all.
    """
    return OpenLoop(target, rate, seconds, connections).run(patience_seconds)


class OpenLoop:
    """One run; `answered_at` afterwards holds the moments of its good answers, in seconds since its start."""

    def __init__(self, target: Target, rate: float, seconds: float, connections: int) -> None:
        self._port, self._connections = target.port, connections
        self._requests = target.requests()
        self._rate, self._seconds = rate, seconds
        self._count = round(rate * seconds)
        self._answered = array("d", repeat(NEVER, self._count))  # when, since the start
        self._refused: Counter[int] = Counter()
        self._next = 0  # the request that leaves next
        self._pending = self._late = 0
        self._left_at = 0.0  # when the last one did
        self._began = self._offered = 0.0
        self.sent = threading.Event()  # set when the time is over, or all has failed
        self.last_due = 0.0  # of time.perf_counter()

    @property
    def answered_at(self) -> list[float]:
        """In order of time."""
        return sorted(moment for moment in self._answered if moment >= 0)

    def run(self, patience_seconds: float) -> Load:
        """Send everything, wait for the answers at most `patience_seconds` longer, and sum up."""
        try:
            wire = Wire(self._port, self._connections)
            try:
                with undisturbed():
                    return self._run(wire, patience_seconds)
            finally:
                wire.close()
        finally:
            self.sent.set()

    def _run(self, wire: Wire, patience_seconds: float) -> Load:
        spent = time.thread_time()
        self._began = time.perf_counter()
        self.last_due = self._began + max(0, self._count - 1) / (self._rate or 1.0)
        end = self._seconds + patience_seconds  # of sending
        while (now := self._now()) < max(self._seconds, self._left_at) + patience_seconds:
            next_due = self._send_due(wire, now) if now < end else math.inf
            if now >= self._seconds and not self.sent.is_set():
                self._offered = self._next / now
                self.sent.set()
            if self.sent.is_set() and not self._pending and next_due == math.inf:
                break
            until = now + LOOK_SECONDS if self.sent.is_set() else self._seconds
            wire.wait(min(next_due, until) - self._now(), self._done)
        self._offered = self._offered or self._next / end  # where there was no patience at all
        if self._pending:
            self._refused[NO_ANSWER] += self._pending
        load = summed_up(self._latencies_ms(), self._seconds, dict(self._refused), self._late)
        return replace(
            load,
            unsent=self._count - self._next,
            offered=self._offered,
            processor_seconds=time.thread_time() - spent,
        )

    def _send_due(self, wire: Wire, now: float) -> float:
        """Send what should have left by now, as far as there are connections; the moment to come back at the latest."""
        due = min(self._count, int(now * self._rate) + 1, self._next + BURST)
        while self._next < due:
            connection = self._connection(wire)
            if connection is None:
                return math.inf  # an answer will free one
            number = self._next
            self._next += 1
            self._pending += 1
            self._left_at = now
            self._late += now - number / self._rate > LATE_SECONDS
            wire.ask(connection, self._requests[number % len(self._requests)], number)
        if self._next == self._count:
            return math.inf
        next_due = self._next / self._rate
        return next_due if next_due <= now else max(next_due, now + TICK_SECONDS)

    def _connection(self, wire: Wire) -> Connection | None:
        """Who has answered is busy no more: what has come is read before a new connection is opened."""
        while (idle := wire.idle()) is None and wire.read(self._done):
            pass
        return idle or wire.free()

    def _now(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._began

    def _done(self, number: int, status: int) -> None:
        self._pending -= 1
        if status == 200:
            self._answered[number] = self._now()
        else:
            self._refused[status] += 1

    def _latencies_ms(self) -> list[float]:
        return [
            (moment - number / self._rate) * 1000
            for number, moment in enumerate(self._answered)
            if moment >= 0
        ]
