"""Killed, stopped and broken parts: every request gets an answer, and the service comes back."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.e2e.load import post_all
from tests.e2e.service import ROOT, RunningService, pattern
from worker.contract import STATS_KEY

pytestmark = pytest.mark.e2e
DEADLINE_SECONDS = 1.0
GRACE_SECONDS = 1.0  # of a busy machine


def timed_predict(service: RunningService) -> tuple[int, Any, float]:
    began = time.monotonic()
    status, body = service.post("/predict", pattern())
    return status, body, time.monotonic() - began


@pytest.fixture
def faulty(own_service: RunningService) -> RunningService:
    own_service.redis()
    own_service.api()
    return own_service


def test_without_a_worker_503_comes_by_the_deadline_and_answers_once_it_is_there(
    faulty: RunningService,
) -> None:
    faulty.wait_for(lambda: faulty.get("/")[0] == 200, "the API answers")
    status, body, seconds = timed_predict(faulty)
    assert (status, body["error_code"]) == (503, "MODEL_NOT_LOADED")
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    assert faulty.get("/health")[0] == 503
    first = faulty.worker()
    faulty.wait_healthy()
    assert timed_predict(faulty)[0] == 200
    first.signal(signal.SIGKILL)
    first.wait()
    status, body, seconds = timed_predict(faulty)
    assert (status, body["error_code"]) == (503, "MODEL_NOT_LOADED")
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    faulty.worker()
    faulty.wait_healthy()
    assert timed_predict(faulty)[0] == 200


def test_every_request_is_answered_while_the_worker_is_killed_and_replaced(
    faulty: RunningService,
) -> None:
    worker = faulty.worker()
    faulty.wait_healthy()

    def kill_and_replace() -> None:
        with Redis.from_url(faulty.redis_url) as redis:
            faulty.wait_for(lambda: int(redis.hget(STATS_KEY, "predictions") or 0) > 100, "load")
        worker.signal(signal.SIGKILL)
        worker.wait()
        faulty.worker()

    killer = threading.Thread(target=kill_and_replace)
    killer.start()
    answers = post_all(faulty.url("/predict"), [pattern(f"0x{n:x}") for n in range(3000)], 50)
    killer.join()
    codes = {answer.status_code for answer in answers}
    assert len(answers) == 3000
    assert 200 in codes
    assert codes & {503, 504}
    assert codes <= {200, 503, 504}
    assert all("error_code" in answer.json() for answer in answers if answer.status_code != 200)
    faulty.wait_healthy()
    assert timed_predict(faulty)[0] == 200


def test_a_worker_that_hangs_is_answered_for_by_the_deadline_and_forgiven_when_it_goes_on(
    faulty: RunningService,
) -> None:
    worker = faulty.worker()
    faulty.wait_healthy()
    worker.signal(signal.SIGSTOP)
    status, body, seconds = timed_predict(faulty)
    assert status in {503, 504}  # 504 while its heartbeat is fresh, 503 once it is not
    assert "error_code" in body
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    worker.signal(signal.SIGCONT)
    faulty.wait_healthy()
    assert timed_predict(faulty)[0] == 200


def test_redis_gone_is_503_at_once_with_retry_after_and_answers_follow_its_return(
    own_service: RunningService,
) -> None:
    redis = own_service.redis()
    own_service.worker()
    own_service.api()
    own_service.wait_healthy()
    redis.signal(signal.SIGKILL)
    redis.wait()
    time.sleep(0.3)
    answer = post_all(own_service.url("/predict"), [pattern()], 1)[0]
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["error_code"] == "QUEUE_UNAVAILABLE"
    assert answer.elapsed.total_seconds() < DEADLINE_SECONDS
    own_service.redis()
    own_service.wait_for(lambda: timed_predict(own_service)[0] == 200, "answers come again")
    assert own_service.get("/health")[0] == 200


def test_a_redis_that_hangs_is_503_within_the_deadline_and_answers_follow(
    own_service: RunningService,
) -> None:
    redis = own_service.redis()
    own_service.worker()
    own_service.api()
    own_service.wait_healthy()
    redis.signal(signal.SIGSTOP)
    status, body, seconds = timed_predict(own_service)
    redis.signal(signal.SIGCONT)
    assert (status, body["error_code"]) == (503, "QUEUE_UNAVAILABLE")
    assert seconds < DEADLINE_SECONDS + GRACE_SECONDS
    own_service.wait_for(lambda: timed_predict(own_service)[0] == 200, "answers come again")


def test_a_model_with_one_byte_changed_is_refused(faulty: RunningService, tmp_path: Path) -> None:
    for name in ("model.pth", "model.json"):
        shutil.copy(ROOT / "models" / "production" / name, tmp_path)
    model = tmp_path / "model.pth"
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    worker = faulty.worker(MODEL_PATH=str(model))
    assert worker.wait(60) == 1
    assert "SHA-256" in worker.log.read_text()
    status, body = faulty.post("/predict", pattern())
    assert (status, body["error_code"]) == (503, "MODEL_NOT_LOADED")


def test_a_history_that_cannot_be_read_is_503_and_no_made_up_score(
    own_service: RunningService,
) -> None:
    own_service.redis()
    own_service.worker(HISTORY_URL="redis://127.0.0.1:1/0")
    own_service.api()
    own_service.wait_healthy()
    status, body = own_service.post("/predict", pattern())
    assert (status, body["error_code"]) == (503, "HISTORY_UNAVAILABLE")


def test_a_port_that_is_taken_ends_the_worker_with_a_reason(faulty: RunningService) -> None:
    worker = faulty.worker(WORKER_METRICS_PORT=str(faulty.redis_port))
    assert worker.wait(60) == 1
    assert "in use" in worker.log.read_text()
