"""What scripts/retrain.py refuses before it sends anything; tests/e2e/test_retraining.py lets it work."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from tests.scripts.run_script import ROOT, run
from worker.contract import TRAINING_QUEUE


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "soon"])
def test_a_wait_that_cannot_end_in_a_result_sends_nothing(
    seconds: str, tmp_path: Path, redis_url: str
) -> None:
    environment = {"PYTHONPATH": str(ROOT), "REDIS_URL": redis_url}
    with Redis.from_url(redis_url) as redis:
        before = redis.llen(TRAINING_QUEUE)
        done = run(
            "retrain.py", f"--wait-seconds={seconds}", folder=tmp_path, environment=environment
        )
        assert redis.llen(TRAINING_QUEUE) == before
    assert done.returncode == 2
    assert f"must be a number of seconds above 0, got '{seconds}'" in done.stderr


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(ROOT), "BROKER_URL": "http://:hunter2@one"}
    done = run("retrain.py", folder=tmp_path, environment=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("BROKER_URL must be a redis:// or rediss:// URL")
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr
