"""The figures over all workers: what reaches Redis, and when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.worker.dead_server import dead_redis
from tests.worker.outcomes import answer, outcome, outcome_of
from worker.contract import STATS_KEY, Reason
from worker.metrics import WorkerMetrics
from worker.totals import Totals

LOST = "biometrics_worker_totals_failures_total"


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


def test_messages_are_added_up_and_written_together(redis: Redis) -> None:
    totals = Totals(redis, WorkerMetrics())
    totals.add(outcome(80, 90))
    totals.add(outcome(40, errors=1))
    totals.add(outcome_of(answer(7, [Reason.ANOMALOUS])))
    assert redis.hgetall(STATS_KEY) == {}
    totals.write()
    written = {
        b"predictions": b"4",
        b"inference_ms_sum": b"8",
        b"confidence_sum": b"217",
        b"anomalies": b"1",
    }
    assert redis.hgetall(STATS_KEY) == written
    totals.write()
    assert redis.hgetall(STATS_KEY) == written


def test_several_workers_add_to_the_same_figures(redis: Redis) -> None:
    for _ in range(2):
        totals = Totals(redis, WorkerMetrics())
        totals.add(outcome(80))
        totals.write()
    assert redis.hget(STATS_KEY, "predictions") == b"2"


def test_a_worker_that_is_told_to_stop_writes_what_is_left(redis: Redis) -> None:
    totals = Totals(redis, WorkerMetrics())
    totals.start()
    totals.add(outcome(80))
    totals.stop()
    assert redis.hget(STATS_KEY, "predictions") == b"1"


def test_figures_that_cannot_be_written_are_counted_by_message_and_raise_nothing() -> None:
    metrics = WorkerMetrics()
    totals = Totals(dead_redis(), metrics)
    totals.add(outcome(80, 90))
    totals.add(outcome(80))
    totals.write()
    totals.write()
    assert metrics.registry.get_sample_value(LOST) == 2
