"""Messages that no front end of ours would send: each is dropped with a line in the log, and the worker goes on."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from api.envelope import EnvelopeFactory
from tests.e2e.service import RunningService, pattern
from worker.celery_app import create_celery
from worker.contract import ONLINE_QUEUE, SCORE_TASK, TRAINING_QUEUE

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    running = RunningService(tmp_path_factory.mktemp("poisoned"))
    running.redis()
    running.worker()
    running.worker("background")
    running.api()
    try:
        running.wait_healthy()
        yield running
    finally:
        running.stop()


def good() -> dict[str, Any]:
    factory = EnvelopeFactory(create_celery("memory://"), SCORE_TASK, ONLINE_QUEUE, "x")
    argument = {"v": 1, "sent": 1.0, "deadline": 4e9, "rows": []}
    envelope: dict[str, Any] = json.loads(factory.build("x.1", argument, 4e9))
    return envelope


def changed(**changes: Any) -> bytes:
    return json.dumps(good() | changes).encode()


def body(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def headers(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = good()["headers"] | changes
    return found


POISON = {
    "nothing": b"",
    "garbage": b"garbage",
    "lists in lists": b"[" * 100_000,
    "not UTF-8": b"\xff\xfe",
    "a number": b"1",
    "null": b"null",
    "a list": b"[]",
    "an empty object": b"{}",
    "properties that are none": changed(properties=5),
    "no properties": changed(properties={}),
    "a body that is a number": changed(body=5),
    "a body that is not base64": changed(body="!!!"),
    "a body that is no triple": changed(body=body({"a": 1})),
    "arguments of another shape": changed(body=body([[1, 2, 3], {}, {}])),
    "a message without rows": changed(body=body([[{"v": 1}], {}, {}])),
    "too many rows": changed(
        body=body([[{"v": 1, "sent": 1.0, "deadline": 4e9, "rows": [None] * 10_000}], {}, {}])
    ),
    "an id that is null": changed(headers=headers(id=None)),
    "an id that is a number": changed(headers=headers(id=5)),
    "an unknown task": changed(headers=headers(task="os.system")),
    "pickle": changed(**{"content-type": "application/x-python-serialize"}),
    "an unknown encoding": changed(**{"content-encoding": "martian"}),
}


@pytest.mark.parametrize("queue", [ONLINE_QUEUE, TRAINING_QUEUE])
@pytest.mark.parametrize("name", POISON)
def test_a_worker_survives_what_is_no_message_of_ours(
    poisoned: RunningService, name: str, queue: str
) -> None:
    with Redis.from_url(poisoned.redis_url) as redis:
        for _ in range(3):
            redis.lpush(queue, POISON[name])
        poisoned.wait_for(lambda: redis.llen(queue) == 0, "the queue is empty")
    # The worker may still be at what it found: its next answers count, not how soon the first of them comes.
    poisoned.wait_for(lambda: poisoned.post("/predict", pattern())[0] == 200, "it answers again")
    assert all(part.running() for part in poisoned.parts), poisoned.logs()


def test_a_redis_that_is_full_refuses_and_is_forgiven(poisoned: RunningService) -> None:
    with Redis.from_url(poisoned.redis_url) as redis:
        try:
            redis.config_set("maxmemory", 1)
            refused = [poisoned.post("/predict", pattern()) for _ in range(5)]
        finally:
            redis.config_set("maxmemory", 0)
    assert {status for status, _ in refused} <= {503, 504}
    assert {answer["error_code"] for _, answer in refused} <= {
        "OVERLOADED",
        "QUEUE_UNAVAILABLE",
        "DEADLINE_EXCEEDED",
        "MODEL_NOT_LOADED",
    }
    poisoned.wait_for(lambda: poisoned.post("/predict", pattern())[0] == 200, "answers come again")
    assert all(part.running() for part in poisoned.parts), poisoned.logs()


def test_a_redis_that_is_a_replica_for_a_time_ends_no_worker(poisoned: RunningService) -> None:
    with Redis.from_url(poisoned.redis_url) as redis:
        redis.replicaof(
            "127.0.0.1", "1"
        )  # as a failover does, in the middle of a wait for messages
        try:
            refused = [poisoned.post("/predict", pattern()) for _ in range(5)]
        finally:
            redis.replicaof("NO", "ONE")
    assert {status for status, _ in refused} == {503}
    poisoned.wait_for(lambda: poisoned.post("/predict", pattern())[0] == 200, "answers come again")
    assert all(part.running() for part in poisoned.parts), poisoned.logs()
