"""The service-wide figures behind /stats: counters in Redis that every worker adds to, after its answer has left."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

from worker.contract import STATS_KEY
from worker.outcome import Outcome


class TotalsUnavailableError(Exception):
    """Raised when the figures could not be added."""


class Totals:
    """Adds a message's figures in one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, outcome: Outcome) -> None:
        """Raises TotalsUnavailableError."""
        answers = outcome.answers
        confidence = sum(answer["confidence_score"] for answer in answers)
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.hincrby(STATS_KEY, "predictions", len(answers))
        pipeline.hincrbyfloat(STATS_KEY, "inference_ms_sum", outcome.inference_ms * len(answers))
        pipeline.hincrby(STATS_KEY, "confidence_sum", confidence)
        pipeline.hincrby(STATS_KEY, "anomalies", outcome.anomalies)
        try:
            pipeline.execute()
        except (RedisError, OSError) as error:
            raise TotalsUnavailableError("the figures could not be added") from error
