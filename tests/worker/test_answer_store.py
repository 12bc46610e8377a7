from __future__ import annotations

import json
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult
from redis import Redis

from worker.answer_store import AnswerStore
from worker.celery_app import ONLINE_RESULT_SECONDS, create_celery

REPLY = {"v": 1, "rows": [{"confidence_score": 71, "reasons": ["NO_HISTORY"]}]}


@pytest.fixture
def app(redis_url: str) -> Celery:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return create_celery("memory://", redis_url)


def calls(redis: Redis) -> dict[str, int]:
    """How often each command was called."""
    found: Any = redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): figures["calls"] for name, figures in found.items()}


def test_an_answer_costs_one_set_and_one_publication_and_nothing_is_read(
    app: Celery, redis_url: str
) -> None:
    assert isinstance(app.backend, AnswerStore)
    app.backend.store_result("warm", None, "SUCCESS")
    with Redis.from_url(redis_url) as redis:
        redis.config_resetstat()
        app.backend.store_result("a.1", REPLY, "SUCCESS")
        spent = calls(redis)
    spent = {name: n for name, n in spent.items() if name in {"get", "set", "setex", "publish"}}
    assert spent == {"set": 1, "publish": 1}


def test_what_is_published_is_what_is_stored_and_what_celery_reads(
    app: Celery, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as redis, redis.pubsub() as pubsub:
        pubsub.psubscribe("celery-task-meta-b.*")
        assert pubsub.get_message(timeout=5)
        app.backend.store_result("b.1", REPLY, "SUCCESS")
        message = pubsub.get_message(timeout=5)
        assert message is not None
        stored = redis.get("celery-task-meta-b.1")
        assert message["data"] == stored
        assert 0 < int(redis.ttl("celery-task-meta-b.1")) <= ONLINE_RESULT_SECONDS
        meta = json.loads(stored or b"")
    assert (meta["task_id"], meta["status"], meta["result"]) == ("b.1", "SUCCESS", REPLY)
    assert AsyncResult("b.1", app=app).get(timeout=5) == REPLY


def test_a_failure_is_told_as_celery_tells_it(app: Celery) -> None:
    app.backend.store_result("c.1", ValueError("no message"), "FAILURE")
    result = AsyncResult("c.1", app=app)
    assert result.state == "FAILURE"
    assert isinstance(result.result, ValueError)


def test_another_kind_of_server_keeps_celerys_own_backend() -> None:
    backend = create_celery("memory://", "cache+memory://").conf.result_backend
    assert backend == "cache+memory://"
