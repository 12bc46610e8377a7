"""A server without contents, and the workers of tests behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from tests.api.stub_worker import Reply, StubWorker, echo


@pytest.fixture
def clean(redis_url: str) -> str:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return redis_url


@pytest.fixture
def worker(clean: str) -> Iterator[Callable[..., StubWorker]]:
    started: list[StubWorker] = []

    def start(reply: Reply = echo, **options: bool) -> StubWorker:
        started.append(StubWorker(clean, reply, **options))
        return started[-1]

    yield start
    for stub in started:
        stub.stop()
