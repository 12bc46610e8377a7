"""The bulk worker's parts, put together as its process does, without a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery
from redis import Redis

from tests.worker.jobs.posted import JOB, post, row
from worker.bulk import _register, queued
from worker.celery_app import create_celery
from worker.contract import BULK_QUEUE, BULK_TASK, SWEEP_TASK, JobKeys
from worker.jobs.behind import Behind
from worker.metrics import WorkerMetrics
from worker.settings import WorkerSettings
from worker.tasks.bulk import send_chunk


@pytest.fixture(scope="module")
def app(redis_url: str, tmp_path_factory: pytest.TempPathFactory, behind: Behind) -> Celery:
    """Registered once: Celery shares a task's name among all applications of a process."""
    app = create_celery(redis_url, ack_emulation=False)
    directory = tmp_path_factory.mktemp("models")
    settings = WorkerSettings(_env_file=None, redis_url=redis_url, model_directory=directory)
    _register(app, settings, "cpu", WorkerMetrics(), behind)
    return app


@pytest.fixture(scope="module")
def behind() -> Behind:
    return Behind()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


def test_what_waits_in_the_queue_is_counted(app: Celery, redis: Redis) -> None:
    assert queued(app) == 0
    for chunk in range(3):
        send_chunk(app, JOB, chunk)
    assert queued(app) == redis.llen(BULK_QUEUE) == 3


def test_a_message_has_its_chunk_scored(
    app: Celery, behind: Behind, redis: Redis, redis_url: str
) -> None:
    post(redis_url, [(row("aa", 60 + n), float(n)) for n in range(3)])
    app.tasks[BULK_TASK]({"job": JOB, "chunk": 0})
    behind.wait()
    assert redis.hmget(JobKeys(JOB).job, "state", "done", "failed") == [b"done", b"3", b"0"]


def test_the_sweep_sends_what_lost_its_message(app: Celery, redis: Redis, redis_url: str) -> None:
    post(redis_url, [(row("aa"), 1.0)])
    app.tasks[SWEEP_TASK]()
    assert redis.llen(BULK_QUEUE) == 1
