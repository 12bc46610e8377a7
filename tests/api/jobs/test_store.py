"""A job is in the store whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from api.errors import ConflictError, QueueUnavailableError, StorageFullError
from api.jobs.board import Board
from api.jobs.draft import Draft, Pattern
from api.jobs.store import STAGING_SECONDS, Claimant, JobStore
from api.redis_client import open_redis
from tests.worker.dead_server import dead_url
from worker.contract import ACTIVE_JOBS, JobKeys

pytestmark = pytest.mark.anyio
JOB, OTHER = "0" * 32, "1" * 32
FIELDS = {
    "state": "queued",
    "owner": "me",
    "created": 1_790_000_000.0,
    "total": 3,
    "broken": 1,
    "failed": 1,
    "done": 0,
    "keep_seconds": 600,
}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield client
    await client.config_set("maxmemory", 0)
    await client.aclose()


async def staged(store: JobStore, job_id: str = JOB) -> Draft:
    draft = Draft()
    for first in (0xAA, 0xBB):
        draft.add(Pattern(bytes([first] * 16), [60.0, 110.0, 90.0, 3.0, 9.0], 1.0))
    draft.add_broken(b'{"index":2,"line":3}')
    await store.stage(job_id, draft.take().compressed())
    return draft


async def test_what_is_staged_is_no_job_and_expires(redis: Redis) -> None:
    await staged(JobStore(redis))
    keys = [key async for key in redis.scan_iter(count=1000)]
    assert len(keys) == 3
    assert all([0 < await redis.ttl(key) <= STAGING_SECONDS for key in keys])
    assert await Board(redis, lambda: 0.0).mine("me") == []


async def test_publishing_makes_it_a_job_that_outlives_the_staging(redis: Redis) -> None:
    store = JobStore(redis)
    draft = await staged(store)
    known, plan = await store.publish(JOB, draft, Claimant("me", "k", "d"), FIELDS)
    assert (known, len(plan)) == (JOB, 1)
    keys = [key async for key in redis.scan_iter("biometrics:job:*", count=1000)]
    assert all([await redis.ttl(key) > STAGING_SECONDS for key in keys])
    assert await redis.zcard(ACTIVE_JOBS) == 1
    board = Board(redis, lambda: 1_790_000_010.0)
    assert (await board.status(JOB))["total"] == 3
    assert [job["job_id"] for job in await board.mine("me")] == [JOB]
    assert await board.mine("you") == []


async def test_the_same_key_gives_the_first_job_and_other_content_is_refused(redis: Redis) -> None:
    store = JobStore(redis)
    await store.publish(JOB, await staged(store), Claimant("me", "k", "d"), FIELDS)
    again = await staged(store, OTHER)
    assert await store.publish(OTHER, again, Claimant("me", "k", "d"), FIELDS) == (JOB, [])
    with pytest.raises(ConflictError):
        await store.publish(OTHER, again, Claimant("me", "k", "other"), FIELDS)
    await store.discard(OTHER, again.total)
    assert not [key async for key in redis.scan_iter(JobKeys(OTHER).job + "*")]
    assert await redis.zcard(ACTIVE_JOBS) == 1


async def test_rows_that_expired_while_they_were_sent_make_no_job(redis: Redis) -> None:
    store = JobStore(redis)
    draft = await staged(store)
    await redis.delete(JobKeys(JOB).data(0xAA))
    with pytest.raises(QueueUnavailableError, match="took too long"):
        await store.publish(JOB, draft, Claimant("me", "k", "d"), FIELDS)
    assert await redis.zcard(ACTIVE_JOBS) == 0


async def test_a_full_server_is_told_as_such_wherever_it_fills_up(redis: Redis) -> None:
    store = JobStore(redis)
    draft = await staged(store)
    await redis.config_set("maxmemory", 1)
    with pytest.raises(StorageFullError):
        await store.publish(JOB, draft, Claimant("me", "k", "d"), FIELDS)
    with pytest.raises(StorageFullError):
        await staged(store, OTHER)
    await store.discard(JOB, draft.total)  # freeing works when nothing else does
    assert await redis.dbsize() == 0


async def test_a_server_that_is_away_is_told_as_such() -> None:
    client: Any = open_redis(dead_url())
    with pytest.raises(QueueUnavailableError):
        await staged(JobStore(client))
    await JobStore(client).discard(JOB, 5)


async def test_a_job_whose_publication_was_not_heard_of_is_not_gutted(redis: Redis) -> None:
    store = JobStore(redis)
    draft = await staged(store)
    await store.publish(JOB, draft, Claimant("me", "k", "d"), FIELDS)
    before = {key async for key in redis.scan_iter("biometrics:job:*", count=1000)}
    await store.discard(JOB, 3)
    assert {key async for key in redis.scan_iter("biometrics:job:*", count=1000)} == before


async def test_forgetting_a_cancelled_job_leaves_the_one_that_was_sent_again(redis: Redis) -> None:
    store, board = JobStore(redis), Board(redis, lambda: 1_790_000_010.0)
    for job_id in (JOB, OTHER):
        draft = await staged(store, job_id)
        assert (await store.publish(job_id, draft, Claimant("me", "k", "d"), FIELDS))[0] == job_id
        if job_id == JOB:
            await board.cancel(await board.status(JOB))
    await board.cancel(await board.status(JOB))  # the second time forgets it
    again = await staged(store, "2" * 32)
    known, _ = await store.publish("2" * 32, again, Claimant("me", "k", "d"), FIELDS)
    assert known == OTHER
