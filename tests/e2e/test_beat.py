"""Beat as a process sends what is due; a last run of eight days ago stands in for a week of waiting."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from redbeat import RedBeatScheduler
from redis import Redis
from redis.exceptions import RedisError

from tests.e2e.service import RunningService
from worker.beat import create_beat
from worker.contract import RETRAIN_TASK, TRAINING_QUEUE
from worker.settings import WorkerSettings

pytestmark = pytest.mark.e2e


def make_due(redis_url: str) -> None:
    """Leave in Redis what a beat leaves there that sent the retraining eight days ago and was stopped."""
    app = create_beat(WorkerSettings(_env_file=None, redis_url=redis_url))
    RedBeatScheduler(app)
    entry = RedBeatScheduler.Entry.from_key("biometrics:beat:retrain", app=app)
    entry.reschedule(datetime.now(UTC) - timedelta(days=8))


def test_a_retraining_that_is_due_is_sent_once_to_the_training_queue(
    own_service: RunningService,
) -> None:
    own_service.redis()
    with Redis.from_url(own_service.redis_url) as redis:
        own_service.wait_for(lambda: answers(redis), "Redis answers")
        make_due(own_service.redis_url)
        assert redis.llen(TRAINING_QUEUE) == 0
        beat = own_service.worker("beat")
        own_service.wait_for(lambda: redis.llen(TRAINING_QUEUE) > 0, "the retraining is sent")
        beat.stop()  # which ends the turn it is in
        (message,) = redis.lrange(TRAINING_QUEUE, 0, -1)
        assert json.loads(message)["headers"]["task"] == RETRAIN_TASK
        assert redis.llen("celery") == 0


def answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except (RedisError, OSError):
        return False
