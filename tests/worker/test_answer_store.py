from __future__ import annotations

import json
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult
from redis import Redis

from tests.worker.outcomes import outcome
from worker.answer_store import AnswerStore
from worker.celery_app import ONLINE_RESULT_SECONDS, create_celery
from worker.contract import RESULT_COLUMNS, RESULT_HEAD

REPLY = {"v": 1, "rows": [{"confidence_score": 71, "reasons": ["NO_HISTORY"]}]}


@pytest.fixture
def app(redis_url: str) -> Celery:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return create_celery("memory://", redis_url, ack_emulation=False)


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


def test_an_answer_that_is_sent_off_as_bytes_is_what_celery_reads_and_front_ends_know(
    app: Celery, redis_url: str
) -> None:
    app.backend.send_off("e.1", json.dumps(REPLY).encode())
    app.backend.confirm()
    result = AsyncResult("e.1", app=app)
    assert result.get(timeout=5) == REPLY
    assert result.state == "SUCCESS"
    answered = outcome(80, 3, errors=1)
    app.backend.send_off("e.2", answered.text())
    app.backend.confirm()
    assert AsyncResult("e.2", app=app).get(timeout=5) == answered.plain()
    with Redis.from_url(redis_url) as redis:
        stored = redis.get("celery-task-meta-e.2") or b""
    assert stored.startswith(RESULT_HEAD)
    assert stored.count(RESULT_COLUMNS) == 1


def test_a_failure_is_told_as_celery_tells_it(app: Celery) -> None:
    app.backend.store_result("c.1", ValueError("no message"), "FAILURE")
    result = AsyncResult("c.1", app=app)
    assert result.state == "FAILURE"
    assert isinstance(result.result, ValueError)


def test_another_kind_of_server_keeps_celerys_own_backend() -> None:
    app = create_celery("memory://", "cache+memory://", ack_emulation=False)
    assert app.conf.result_backend == "cache+memory://"


def test_a_worker_whose_messages_may_come_twice_keeps_celerys_own_backend(redis_url: str) -> None:
    app = create_celery("memory://", redis_url)
    assert not isinstance(app.backend, AnswerStore)
    app.backend.store_result("d.1", REPLY, "SUCCESS")
    app.backend.store_result("d.1", ValueError("again"), "FAILURE")
    assert AsyncResult("d.1", app=app).state == "SUCCESS"
