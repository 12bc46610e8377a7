"""Which callback is due, whose it is, and when it is given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from api.errors import QueueUnavailableError
from api.jobs.outbox import LONGEST_PAUSE_SECONDS, Call, Outbox, pause_seconds
from api.redis_client import open_redis
from tests.worker.dead_server import dead_url
from worker.contract import CALLBACKS, JobKeys

pytestmark = pytest.mark.anyio
JOB = "0" * 32


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


async def ended(redis: Redis, job_id: str = JOB, due: float = 1.0) -> None:
    """A job whose end is to be told, as the worker leaves it."""
    client: Any = redis
    (seconds, _), key = await client.time(), JobKeys(job_id).job
    fields = {"callback": "https://x/", "callback_state": "pending", "callback_attempts": 0}
    await client.hset(key, mapping={**fields, "state": "done", "finished": f"{seconds}.5"})
    await client.zadd(CALLBACKS, {job_id: due})


async def shown(redis: Redis, *names: str) -> list[str | None]:
    client: Any = redis
    found = await client.hmget(JobKeys(JOB).job, *(f"callback_{name}" for name in names))
    return [value and value.decode() for value in found]


async def taken(outbox: Outbox) -> Call:
    call = await outbox.take()
    assert call is not None
    return call


async def test_a_callback_belongs_to_one_front_end_until_its_lease_ends(redis: Redis) -> None:
    await ended(redis)
    outbox, other = Outbox(redis, 60, lease_seconds=0.2), Outbox(redis, 60)
    call = await taken(outbox)
    assert (call.job_id, call.url, call.tries) == (JOB, "https://x/", 1)
    assert await other.take() is None
    await redis.zadd(CALLBACKS, {JOB: 1.0})  # the lease is over
    again = await taken(other)
    assert (again.tries, again.name) == (2, call.name)
    assert await outbox.settle(call, "") is None  # it is the other's now
    assert await other.settle(again, "") == "delivered"
    assert await shown(redis, "state", "attempts", "error") == ["delivered", "2", None]
    assert await redis.zcard(CALLBACKS) == 0


async def test_a_failed_try_is_due_again_after_its_pause_and_its_reason_is_kept(
    redis: Redis,
) -> None:
    await ended(redis)
    outbox = Outbox(redis, 60)
    assert await outbox.settle(await taken(outbox), "no connection") == "pending"
    assert await outbox.take() is None
    assert await shown(redis, "state", "error") == ["pending", "no connection"]
    seconds, _ = await redis.time()
    assert 0 <= float(await redis.zscore(CALLBACKS, JOB) or 0) - seconds <= 2


async def test_it_is_given_up_when_the_next_try_would_come_too_late(redis: Redis) -> None:
    await ended(redis)
    outbox = Outbox(redis, 0)
    assert await outbox.settle(await taken(outbox), "no connection") == "failed"
    assert await shown(redis, "state", "error") == ["failed", "no connection"]
    assert await redis.zcard(CALLBACKS) == 0


async def test_a_job_that_is_gone_keeps_no_other_waiting(redis: Redis) -> None:
    await redis.zadd(CALLBACKS, {"f" * 32: 0.5})
    await ended(redis)
    assert (await taken(Outbox(redis, 60))).job_id == JOB
    assert await redis.zcard(CALLBACKS) == 1


async def test_a_server_that_is_away_is_told_as_such() -> None:
    client: Any = open_redis(dead_url())
    with pytest.raises(QueueUnavailableError):
        await Outbox(client, 60).take()


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    assert [pause_seconds(tries) for tries in (1, 2, 3, 10, 11)] == [1, 2, 4, 512, 900]
    assert pause_seconds(10_000) == LONGEST_PAUSE_SECONDS


async def test_a_late_try_of_an_earlier_end_says_nothing_of_the_new_one(redis: Redis) -> None:
    await ended(redis)
    outbox, client = Outbox(redis, 60), cast("Any", redis)
    late = await taken(outbox)
    key = JobKeys(JOB).job
    await client.hset(key, mapping={"callback_attempts": 0, "finished": "9999999999.5"})
    await client.zadd(CALLBACKS, {JOB: 1.0})  # its dead chunks were scored after all
    again = await taken(outbox)
    assert (late.tries, again.tries) == (1, 1)
    assert late.name != again.name
    assert await outbox.settle(late, "") is None
    assert await shown(redis, "state") == ["pending"]
    assert await outbox.settle(again, "") == "delivered"


async def test_a_job_that_runs_again_is_not_told_of(redis: Redis) -> None:
    await ended(redis)
    client: Any = redis
    await client.hdel(JobKeys(JOB).job, "finished")
    assert await Outbox(redis, 60).take() is None
    assert await redis.zcard(CALLBACKS) == 0
