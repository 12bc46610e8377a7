from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import Redis
from redis.exceptions import RedisError

from api.access.counts import PREFIX, RedisCounts
from api.redis_client import open_redis
from tests.api.front import DEAD_REDIS

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def counts_at(url: str) -> AsyncIterator[RedisCounts]:
    client = open_redis(url)
    try:
        yield RedisCounts(client)
    finally:
        await client.aclose()


async def test_sums_are_shared_and_expire(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.delete(PREFIX + "a")
        async with counts_at(redis_url) as first, counts_at(redis_url) as second:
            assert [await first.incr("a", 30), await second.incr("a", 30, 5)] == [1, 6]
        assert 0 < int(redis.ttl(PREFIX + "a")) <= 30


async def test_what_is_wanted_at_once_is_answered_in_order(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.delete(PREFIX + "b", PREFIX + "c")
    async with counts_at(redis_url) as counts:
        sums = await asyncio.gather(*(counts.incr("bc"[n % 2], 30) for n in range(10)))
    assert sums == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


async def test_everyone_hears_of_a_server_that_does_not_answer() -> None:
    async with counts_at(DEAD_REDIS) as counts:
        waits = [counts.incr("d", 30) for _ in range(3)]
        heard = await asyncio.gather(*waits, return_exceptions=True)
        assert all(isinstance(error, RedisError) for error in heard)
        with pytest.raises(RedisError):
            await counts.incr("d", 30)


async def test_who_gave_up_does_not_keep_the_others_from_their_sums(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.delete(PREFIX + "e")
    async with counts_at(redis_url) as counts:
        gone, stays = asyncio.ensure_future(counts.incr("e", 30)), counts.incr("e", 30)
        gone.cancel()
        assert await stays == 2
