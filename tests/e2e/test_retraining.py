"""A retraining from the recorded histories reaches the scoring worker without a restart."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from redis import Redis

from ml.registry import load, manifest
from tests.e2e.service import ROOT, RunningService, pattern
from worker.history import Entry, History
from worker.records import Pattern

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
SHIPPED = manifest(ROOT / "models" / "production" / "model.pth").version


def fill(redis_url: str, users: int, sessions: int) -> None:
    """Histories of people whose typing is their own: what separates them is what a model must learn."""
    rng = np.random.default_rng(11)
    with Redis.from_url(redis_url) as redis:
        history = History(redis, 50, 180)
        for user in range(users):
            mean = np.array([rng.uniform(25, 95), rng.uniform(70, 160), 0.0, rng.uniform(0.5, 9)])
            entries = []
            for n in range(sessions):
                wpm, hold, _, errors = mean * rng.normal(1, 0.07, 4)
                transition = 12_000 / wpm - hold + rng.normal(0, 8)
                kept = (float(wpm), float(hold), float(transition), float(max(errors, 0)))
                entries.append(Entry(f"{user:032x}", Pattern(1_790_000_000 + 86_400 * n, kept)))
            history.append(entries)


def retrain(service: RunningService) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "scripts/retrain.py", "--wait-seconds", "300"],
        cwd=ROOT,
        env={**service.environment, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + service.logs()
    outcome: dict[str, object] = json.loads(done.stdout)
    return outcome


def test_a_forced_retraining_is_promoted_and_answers_without_a_restart(
    own_service: RunningService,
) -> None:
    service = own_service
    service.redis()
    service.worker()
    service.worker("background")
    service.api()
    service.wait_healthy()
    assert retrain(service)["promoted"] is False  # nobody has a history yet
    fill(service.redis_url, users=260, sessions=14)
    outcome = retrain(service)
    assert outcome["promoted"] is True, outcome
    version = str(outcome["version"])
    assert version == f"{SHIPPED.rpartition('.')[0]}.1"
    service.wait_for(
        lambda: service.post("/predict", pattern())[1].get("model_version") == version,
        "the scoring worker answers with the promoted model",
    )
    service.wait_for(
        lambda: service.get("/health")[1].get("model_version") == version, "health says so"
    )
    path = service.directory / "models" / version / "model.pth"
    assert load(path).model_version == manifest(path).version == version
