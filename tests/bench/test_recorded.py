"""The share of answers that entered a history, from a worker's metrics."""

from __future__ import annotations

from collections.abc import Iterator
from wsgiref.simple_server import WSGIServer

import pytest
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.exposition import generate_latest

from bench.contestant import Contestant
from bench.recorded import Recorded, counted
from bench.samples import Notebook
from scripts.part import Part
from worker.metrics import WorkerMetrics


@pytest.fixture
def metrics() -> WorkerMetrics:
    return WorkerMetrics(CollectorRegistry())


@pytest.fixture
def service(metrics: WorkerMetrics) -> Iterator[Contestant]:
    server: WSGIServer
    server, _ = start_http_server(0, "127.0.0.1", metrics.registry)
    given: dict[str, str | None] = {"WORKER_METRICS_PORT": str(server.server_port)}
    yield Contestant("service", "", "1", [Part("w", [], given), Part("a", [], given)], 0, "")
    server.shutdown()
    server.server_close()


def test_the_share_is_that_of_the_load_alone(service: Contestant, metrics: WorkerMetrics) -> None:
    metrics.predictions.inc(100)
    notes, recorded = Notebook(), Recorded(service)
    metrics.predictions.inc(10)
    metrics.recorded.inc(4)
    recorded.note(notes)
    assert notes.samples == {"recorded_share/service": [0.4]}


def test_one_without_a_worker_or_without_any_answer_has_no_share(service: Contestant) -> None:
    notes = Notebook()
    Recorded(service).note(notes)
    Recorded(Contestant("mosec", "", "1", [Part("m", [], {})], 0, "")).note(notes)
    assert notes.samples == {}


def test_the_counters_are_those_of_the_workers_metrics(metrics: WorkerMetrics) -> None:
    metrics.predictions.inc(3)
    metrics.recorded.inc(2)
    assert counted(generate_latest(metrics.registry).decode()) == (3.0, 2.0)
    with pytest.raises(KeyError, match="recorded_total"):
        counted("")
