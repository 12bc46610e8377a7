"""Many callers at once, two front ends, two workers."""

from __future__ import annotations

import re
import signal
import threading
import time
import urllib.request
from typing import Any

import numpy as np
import pytest
from redis import Redis

from ml.registry import load
from ml.sessions import Sessions
from tests.e2e.load import post_all
from tests.e2e.service import ROOT, RunningService, free_port, pattern

pytestmark = pytest.mark.e2e
FEATURES = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
)


def body(n: int, rng: np.random.Generator) -> dict[str, Any]:
    """A request that differs from every other, with a history of n % 12 patterns near it."""
    mean = rng.uniform([0.6, 70, 60, 0], [0.85, 150, 250, 10])
    mean[0] *= 12_000 / (mean[1] + mean[2])  # nobody types faster than the keys' times allow
    now = int(time.time())
    past = [
        dict(zip(FEATURES, (mean * rng.uniform(0.9, 1.1, 4)).round(1).tolist(), strict=True))
        | {"timestamp": now - 600 * (k + 1)}
        for k in range(n % 12)
    ]
    drift = rng.uniform(0.75, 1.25, 4)  # from plainly the same person to plainly another
    current = dict(zip(FEATURES, (mean * drift).round(1).tolist(), strict=True))
    return pattern(f"did:load:{n}", **current) | {"historical_patterns": past}


def expected(bodies: list[dict[str, Any]]) -> list[int]:
    """What the model itself says, one request at a time, without queue and batch."""
    scorer = load(ROOT / "models" / "production" / "model.pth")
    found = []
    for request in bodies:
        past = [[entry[name] for name in FEATURES] for entry in request["historical_patterns"]]
        sessions = Sessions(
            np.array([[request["features"][name] for name in FEATURES]]),
            np.array(past).reshape(1, len(past), 4),
            np.array([len(past)]),
        )
        found.append(int(scorer.score(sessions).confidence[0]))
    return found


def test_a_thousand_concurrent_predictions_get_each_their_own_dids_answer(
    service: RunningService,
) -> None:
    rng = np.random.default_rng(7)
    bodies = [body(n, rng) for n in range(1000)]
    answers = post_all(service.url("/predict"), bodies, 100)
    assert {answer.status_code for answer in answers} == {200}
    assert [a.json()["history_used"] for a in answers] == [n % 12 for n in range(1000)]
    scores = [answer.json()["confidence_score"] for answer in answers]
    assert scores == expected(bodies)
    assert len(set(scores)) > 20


def test_two_front_ends_and_two_workers_give_the_models_own_scores_and_share_the_figures(
    own_service: RunningService,
) -> None:
    own_service.redis()
    metrics = [free_port(), free_port()]
    workers = [own_service.worker(WORKER_METRICS_PORT=str(port)) for port in metrics]
    own_service.api()
    second = free_port()
    own_service.api(PORT=str(second))
    own_service.wait_healthy()
    with Redis.from_url(own_service.redis_url) as redis:
        own_service.wait_for(lambda: redis.info("clients")["blocked_clients"] == 2, "both wait")
    rng = np.random.default_rng(8)
    ports = (own_service.port, second)
    for port in ports:
        own_service.port = port
        own_service.wait_healthy()
        bodies = [body(n + 150 * (port == second), rng) for n in range(150)]
        answers = post_all(own_service.url("/predict"), bodies, 20)
        assert {answer.status_code for answer in answers} == {200}
        scores = [answer.json()["confidence_score"] for answer in answers]
        assert scores == expected(bodies)
    shares = [predictions(port) for port in metrics]
    assert min(shares) > 0
    assert sum(shares) == 300

    def totals(port: int) -> int:
        own_service.port = port
        return int(own_service.get("/stats")[1]["performance"]["total_predictions"])

    own_service.wait_for(lambda: totals(ports[0]) == 300, "both halves are counted")
    assert totals(ports[1]) == 300
    performance = own_service.get("/stats")[1]["performance"]
    assert performance["avg_inference_time_ms"] > 0
    assert 0 < performance["avg_confidence"] <= 100
    assert "prediction_count 300" in own_service.get("/metrics")[1]

    stopping = threading.Timer(0.2, workers[0].signal, (signal.SIGTERM,))
    stopping.start()
    bodies = [body(n + 300, rng) for n in range(400)]
    answers = post_all(own_service.url("/predict"), bodies, 20)
    assert workers[0].wait() == 0
    assert {answer.status_code for answer in answers} == {200}


def predictions(port: int) -> float:
    """How many patterns the worker with this port of metrics scored."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        found = re.search(
            r"^biometrics_worker_predictions_total (\S+)", answer.read().decode(), re.M
        )
    assert found is not None
    return float(found[1])
