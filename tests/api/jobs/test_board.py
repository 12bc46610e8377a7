"""How fast a job says it is, when it says it will end, and what of its results can be read."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from api.jobs.board import Board
from api.redis_client import open_redis
from worker.contract import RESULTS_PER_PAGE, JobKeys

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


async def ended_job(redis: Redis, missing: int) -> dict[str, Any]:
    """An ended job of two pages whose results lie there but for one."""
    client: Any = redis
    total = RESULTS_PER_PAGE + 9
    fields = {**FIELDS, "total": total, "done": total, "failed": 0, "broken": 0, "state": "done"}
    fields["keyed"] = "its idempotency key"
    await client.hset(JobKeys(JOB).job, mapping=fields)
    for page, last in enumerate((RESULTS_PER_PAGE, total)):
        places = range(page * RESULTS_PER_PAGE, last)
        text = b"\n".join(b'{"index":%d,"n":1}' % n for n in places if n != missing)
        await client.hset(JobKeys(JOB).results(page), "0", zlib.compress(text))
    return await Board(redis, lambda: STARTED).status(JOB)


async def numbers(pieces: AsyncIterator[bytes]) -> list[tuple[int, bool]]:
    """Each line's index, and whether it is an error."""
    text = b"".join([piece async for piece in pieces])
    found = map(json.loads, text.splitlines())
    return [(line["index"], "error_code" in line) for line in found]


@pytest.mark.parametrize("offset", [0, 5, RESULTS_PER_PAGE - 1, RESULTS_PER_PAGE + 3])
async def test_a_result_that_an_ended_job_lacks_is_told_in_its_place(
    redis: Redis, offset: int
) -> None:
    job = await ended_job(redis, missing=RESULTS_PER_PAGE + 4)
    found = await numbers(Board(redis, lambda: STARTED).results(job, offset))
    assert found == [(n, n == RESULTS_PER_PAGE + 4) for n in range(offset, job["total"])]


async def test_results_of_a_running_job_end_before_the_first_that_is_missing(redis: Redis) -> None:
    job = {**await ended_job(redis, missing=7), "state": "running"}
    found = await numbers(Board(redis, lambda: STARTED).results(job, 2))
    assert found == [(n, False) for n in range(2, 7)]


async def test_a_job_that_is_deleted_while_its_results_are_read_leaves_no_false_failures(
    redis: Redis,
) -> None:
    board = Board(redis, lambda: STARTED)
    job = await ended_job(redis, missing=-1)
    pieces = board.results(job, 0)
    first = await anext(pieces)
    await board.cancel(job)
    rest = await numbers(pieces)
    assert first.startswith(b'{"index":0,')
    assert rest[-1] == (RESULTS_PER_PAGE - 1, False)  # what was read already
    assert not any(failed for _, failed in rest)
