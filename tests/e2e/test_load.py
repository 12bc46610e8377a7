"""Many callers at once, two front ends, two workers."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

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


def test_two_front_ends_and_two_workers_share_the_figures(own_service: RunningService) -> None:
    own_service.redis()
    for _ in range(2):
        own_service.worker()
    own_service.api()
    second = free_port()
    own_service.api(PORT=str(second))
    own_service.wait_healthy()
    ports = (own_service.port, second)
    for port in ports:
        own_service.port = port
        own_service.wait_healthy()
        bodies = [pattern(f"0x{n:x}") for n in range(150)]
        assert {a.status_code for a in post_all(own_service.url("/predict"), bodies, 20)} == {200}

    def totals(port: int) -> int:
        own_service.port = port
        return int(own_service.get("/stats")[1]["performance"]["total_predictions"])

    own_service.wait_for(lambda: totals(ports[0]) == 300, "both halves are counted")
    assert totals(ports[1]) == 300
    performance = own_service.get("/stats")[1]["performance"]
    assert performance["avg_inference_time_ms"] > 0
    assert 0 < performance["avg_confidence"] <= 100
    assert "prediction_count 300" in own_service.get("/metrics")[1]
