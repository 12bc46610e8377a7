"""How fast a job says it is, and when it says it will end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from api.jobs.board import Board
from api.redis_client import open_redis
from worker.contract import JobKeys

pytestmark = pytest.mark.anyio
JOB = "0" * 32
STARTED = 1_790_000_000.0
FIELDS = {"owner": "me", "created": STARTED - 5, "total": 1000, "broken": 100, "chunks": 2}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


async def pace(redis: Redis, now: float, **fields: Any) -> tuple[float | None, float | None]:
    """Patterns a second and the estimated end of a job at that time."""
    client: Any = redis
    await client.hset(JobKeys(JOB).job, mapping={**FIELDS, **fields})
    job = await Board(redis, lambda: now).status(JOB)
    return job["patterns_per_second"], job["estimated_end"]


async def test_a_job_that_nobody_took_up_has_no_pace(redis: Redis) -> None:
    assert await pace(redis, STARTED, state="queued", done=0, failed=100) == (None, None)
    waiting = await pace(redis, STARTED + 9, state="running", done=0, failed=100, started=STARTED)
    assert waiting == (None, None)  # broken lines are no work


async def test_a_running_job_ends_when_the_rest_is_done_at_its_pace(redis: Redis) -> None:
    # 300 scored and 60 failed in 4 s, without the 100 broken ones: 90/s, and 540 are left.
    fields = {"state": "running", "done": 300, "failed": 160, "started": STARTED}
    assert await pace(redis, STARTED + 4, **fields) == (90.0, STARTED + 4 + 6)


async def test_an_ended_job_keeps_its_pace_and_expects_nothing(redis: Redis) -> None:
    fields = {"state": "done", "done": 900, "failed": 100, "started": STARTED}
    assert await pace(redis, STARTED + 900, **fields, finished=STARTED + 9) == (100.0, None)
