"""The service-wide figures behind /stats: counters in Redis that every worker adds to, a few times a second.

Added up in between, so that no message waits for the round trip of the one before. A worker that is killed takes the
figures of the last quarter of a second with it; one that is told to stop does not.
"""

from __future__ import annotations

import threading
from collections import Counter

import structlog
from redis import Redis
from redis.exceptions import RedisError

from worker.contract import STATS_KEY
from worker.metrics import WorkerMetrics
from worker.outcome import Outcome

WRITE_SECONDS = 0.25


class Totals:
    """Adds outcomes up, and writes the sums from a thread between `start` and `stop`."""

    def __init__(self, redis: Redis, metrics: WorkerMetrics) -> None:
        self._redis = redis
        self._metrics = metrics
        self._lock = threading.Lock()
        self._sums: Counter[str] = Counter()
        self._inference_ms = 0.0
        self._messages = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write_for_ever, name="totals", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, and end."""
        self._stop.set()
        self._thread.join()

    def add(self, outcome: Outcome) -> None:
        """Take a message's figures; no round trip."""
        worded = outcome.worded
        with self._lock:
            self._sums["predictions"] += worded.scored
            self._sums["confidence_sum"] += sum(worded.confidence)
            self._sums["anomalies"] += outcome.anomalies
            self._inference_ms += worded.inference_ms * worded.scored
            self._messages += 1

    def write(self) -> None:
        """Add the sums to the counters. A failure is counted and logged, and the figures are lost."""
        with self._lock:
            sums, self._sums = self._sums, Counter()
            inference_ms, self._inference_ms = self._inference_ms, 0.0
            messages, self._messages = self._messages, 0
        if not messages:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for name, value in sums.items():
            pipeline.hincrby(STATS_KEY, name, value)
        pipeline.hincrbyfloat(STATS_KEY, "inference_ms_sum", inference_ms)
        try:
            pipeline.execute()
        except (RedisError, OSError) as error:
            self._metrics.lost_totals.inc(messages)
            structlog.get_logger().warning("totals_lost", error=repr(error))

    def _write_for_ever(self) -> None:
        while not self._stop.wait(WRITE_SECONDS):
            self.write()
        self.write()
