"""Far more than the service can do: everybody gets an answer, most of them at once, and then all is as before."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import Counter

import pytest
from redis import Redis

from tests.e2e.load import insist, post_all
from tests.e2e.service import RunningService, pattern
from worker.contract import ONLINE_QUEUE

pytestmark = pytest.mark.e2e
WAITING = 200
CROWD_CONNECTIONS = 820  # two full messages, a crowd behind them, and more


@pytest.fixture
def small(own_service: RunningService) -> RunningService:
    """A service that lets few patterns wait."""
    own_service.redis()
    own_service.api(MAX_WAITING_PATTERNS=str(WAITING), MAX_MESSAGES_IN_FLIGHT="1")
    return own_service


def test_in_a_flood_everybody_is_answered_and_the_surplus_refused_with_a_time_to_come_back(
    small: RunningService,
) -> None:
    worker = small.worker()
    small.wait_healthy()
    worker.signal(signal.SIGSTOP)  # so that the flood is one whatever the machine
    batches = [[pattern(f"0x{n:x}") for n in range(100)] for _ in range(40)]
    answers = post_all(small.url("/batch-predict"), batches, 40)
    worker.signal(signal.SIGCONT)
    codes = Counter(answer.json()["error_code"] for answer in answers)
    assert {answer.status_code for answer in answers} <= {503, 504}
    # Two batches fill the message on its way and two the line, at most.
    assert codes["OVERLOADED"] >= 40 - 4
    refused = [answer for answer in answers if answer.status_code == 503]
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)


def test_after_a_flood_the_next_request_is_answered_and_nothing_dead_is_left(
    small: RunningService,
) -> None:
    small.worker()
    small.wait_healthy()
    batches = [[pattern(f"0x{n:x}") for n in range(100)] for _ in range(100)]
    answers = post_all(small.url("/batch-predict"), batches, 50)
    assert {answer.status_code for answer in answers} <= {200, 503, 504}
    whole = [answer for answer in answers if answer.status_code == 200]
    assert all(len(answer.json()) == 100 for answer in whole)
    small.wait_for(lambda: small.post("/predict", pattern())[0] == 200, "answers come again")
    with Redis.from_url(small.redis_url) as redis:
        assert redis.llen(ONLINE_QUEUE) == 0


def test_what_waited_past_its_deadline_is_not_computed(small: RunningService) -> None:
    worker = small.worker()
    small.wait_healthy()
    worker.signal(signal.SIGSTOP)
    late = post_all(small.url("/predict"), [pattern(f"did:late:{n}") for n in range(30)], 30)
    assert {answer.status_code for answer in late} <= {503, 504}
    worker.signal(signal.SIGCONT)
    small.wait_for(lambda: small.post("/predict", pattern())[0] == 200, "answers come again")
    time.sleep(0.5)  # whatever the worker may have taken before it was stopped is written by now
    with Redis.from_url(small.redis_url) as redis:
        # One history for alice, and at most one message that the worker had taken already.
        assert len(list(redis.scan_iter("biometrics:history:*"))) <= 1 + 1


def test_of_a_crowd_that_comes_back_at_once_each_is_answered_or_refused_and_served_in_the_end(
    own_service: RunningService,
) -> None:
    own_service.redis()
    own_service.api(PREDICT_TIMEOUT_SECONDS="20", LOG_LEVEL="WARNING")
    worker = own_service.worker()
    own_service.wait_healthy()
    worker.signal(signal.SIGSTOP)
    counts = asyncio.run(
        insist(own_service.port, CROWD_CONNECTIONS, lambda: worker.signal(signal.SIGCONT))
    )
    assert set(counts) == {200, 503}
    assert counts[200] == CROWD_CONNECTIONS
    assert own_service.post("/predict", pattern())[0] == 200
