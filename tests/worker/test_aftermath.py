"""What is written and counted after an answer has left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.worker.dead_server import dead_redis
from tests.worker.outcomes import answer, outcome, outcome_of
from worker.aftermath import Aftermath
from worker.contract import Decision
from worker.history import History
from worker.metrics import WorkerMetrics
from worker.outcome import Outcome
from worker.totals import Totals


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


def sample(metrics: WorkerMetrics, name: str, **labels: str) -> float:
    value = metrics.registry.get_sample_value(f"biometrics_worker_{name}", labels)
    assert value is not None, name
    return value


def run(after: Aftermath, found: Outcome) -> None:
    after.write(found)
    after.finish(found)


def test_patterns_figures_and_metrics_are_written(redis: Redis) -> None:
    metrics = WorkerMetrics()
    history = History(redis, 50, 180)
    after = Aftermath(history, Totals(redis, metrics), metrics)
    run(after, outcome(80, 90))
    run(after, outcome(40, errors=1))
    assert [len(found) for found in history.read(["50", "5a", "28", "ff"])] == [1, 1, 1, 0]
    assert sample(metrics, "predictions_total") == 3
    assert sample(metrics, "recorded_total") == 3
    assert sample(metrics, "row_errors_total", code="INFERENCE_ERROR") == 1
    assert sample(metrics, "inference_seconds_count") == 2
    assert sample(metrics, "queue_wait_seconds_sum") == pytest.approx(0.02)


def test_decisions_and_reasons_are_counted_by_name(redis: Redis) -> None:
    metrics = WorkerMetrics()
    first = answer(80, ["SHORT_HISTORY"]) | {"decision": "accept"}
    last = answer(10, ["SHORT_HISTORY", "REPLAY_SUSPECTED"]) | {"decision": "reject"}
    scored = outcome_of(first, answer(90), last)
    run(Aftermath(History(redis, 50, 180), Totals(redis, metrics), metrics), scored)
    counted = [sample(metrics, "decisions_total", decision=each) for each in Decision]
    assert counted == [1, 1, 1]
    assert sample(metrics, "reasons_total", reason="SHORT_HISTORY") == 2
    assert sample(metrics, "reasons_total", reason="REPLAY_SUSPECTED") == 1
    assert sample(metrics, "reasons_total", reason="UPDATE_WITHHELD") == 0


def test_what_was_kept_out_at_the_last_moment_is_not_counted_as_recorded(redis: Redis) -> None:
    metrics = WorkerMetrics()
    after = Aftermath(History(redis, 50, 180, quota=1), Totals(redis, metrics), metrics)
    run(after, outcome(80, 90))
    run(after, outcome(80, 70))
    assert sample(metrics, "recorded_total") == 3


def test_a_failed_write_is_counted_and_raises_nothing() -> None:
    metrics = WorkerMetrics()
    gone = dead_redis()
    run(Aftermath(History(gone, 50, 180), Totals(gone, metrics), metrics), outcome(80, 90))
    assert sample(metrics, "record_failures_total") == 2
    assert sample(metrics, "recorded_total") == 0
    assert sample(metrics, "predictions_total") == 2


def test_what_is_written_is_there_before_anything_is_counted(redis: Redis) -> None:
    metrics = WorkerMetrics()
    history = History(redis, 50, 180)
    after = Aftermath(history, Totals(redis, metrics), metrics)
    run(after, outcome(40))  # the server knows the script from now on
    before = sample(metrics, "predictions_total")
    after.write(outcome(80, 90))
    assert [len(found) for found in history.read(["50", "5a"])] == [1, 1]
    assert sample(metrics, "predictions_total") == before
    after.finish(outcome(80, 90))
    assert sample(metrics, "recorded_total") == 3


def test_a_message_that_enters_nothing_counts_no_write_of_another(redis: Redis) -> None:
    metrics = WorkerMetrics()
    after = Aftermath(History(redis, 50, 180), Totals(redis, metrics), metrics)
    after.write(outcome(80, 90))
    run(after, outcome(errors=1))
    assert sample(metrics, "recorded_total") == 0
    assert sample(metrics, "record_failures_total") == 0


def test_the_metrics_show_one_model_at_a_time() -> None:
    metrics = WorkerMetrics()
    metrics.show_model("1.0.0", "cpu")
    metrics.show_model("1.0.1", "cpu")
    gauge = "biometrics_worker_model_info"
    old, new = {"version": "1.0.0", "device": "cpu"}, {"version": "1.0.1", "device": "cpu"}
    assert metrics.registry.get_sample_value(gauge, old) is None
    assert metrics.registry.get_sample_value(gauge, new) == 1
