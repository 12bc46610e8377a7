"""Listening for results on a real server, also when the connection breaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from api.redis_client import open_redis
from api.reply import Meta
from api.results import Results

INSTANCE = "feed"


def meta(number: int) -> bytes:
    return json.dumps(
        {"status": "SUCCESS", "result": number, "task_id": f"{INSTANCE}.{number}"}
    ).encode()


def key(number: int) -> str:
    return f"celery-task-meta-{INSTANCE}.{number}"


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[Results, Redis]]:
    redis = open_redis(url, retries=0)
    await redis.flushdb()
    results = Results(redis, INSTANCE)
    listener = asyncio.create_task(results.listen())
    assert await results.wait_until_listening(5)
    try:
        yield results, redis
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        await redis.aclose()


def expect(results: Results, task_id: str) -> asyncio.Future[Meta]:
    future: asyncio.Future[Meta] = asyncio.get_running_loop().create_future()
    results.expect(task_id, future.set_result)
    return future


async def break_subscriptions(redis: Redis) -> None:
    assert await redis.client_kill_filter(_type="pubsub") >= 1


def test_each_waiter_gets_its_own_result_in_whatever_order_they_come(redis_url: str) -> None:
    async def scenario() -> list[int]:
        async with listening(redis_url) as (results, redis):
            futures = [expect(results, f"{INSTANCE}.{n}") for n in range(20)]
            for n in reversed(range(20)):
                await redis.publish(key(n), meta(n))
            return [found["result"] for found in await asyncio.gather(*futures)]

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == list(range(20))


def test_a_result_published_while_nobody_listened_is_found_after_the_reconnection(
    redis_url: str,
) -> None:
    async def scenario() -> int:
        async with listening(redis_url) as (results, redis):
            future = expect(results, f"{INSTANCE}.7")
            await redis.set(key(7), meta(7))  # stored, and its publication lost
            assert not future.done()
            await break_subscriptions(redis)
            return int((await asyncio.wait_for(future, 5))["result"])

    assert asyncio.run(scenario()) == 7


def test_results_are_received_again_after_the_connection_broke(redis_url: str) -> None:
    async def scenario() -> int:
        async with listening(redis_url) as (results, redis):
            await break_subscriptions(redis)
            await asyncio.sleep(0.2)  # the break is noticed and mended
            assert await results.wait_until_listening(5)
            future = expect(results, f"{INSTANCE}.3")
            await redis.publish(key(3), meta(3))
            return int((await asyncio.wait_for(future, 5))["result"])

    assert asyncio.run(asyncio.wait_for(scenario(), 10)) == 3


def test_a_last_look_finds_a_stored_result(redis_url: str) -> None:
    async def scenario() -> int:
        async with listening(redis_url) as (results, redis):
            future = expect(results, f"{INSTANCE}.5")
            await redis.set(key(5), meta(5))
            await results.fetch(f"{INSTANCE}.5")
            return int(future.result()["result"])

    assert asyncio.run(scenario()) == 5


def test_who_is_forgotten_is_not_resolved_and_harms_nobody(redis_url: str) -> None:
    async def scenario() -> tuple[bool, int]:
        async with listening(redis_url) as (results, redis):
            forgotten, kept = expect(results, f"{INSTANCE}.1"), expect(results, f"{INSTANCE}.2")
            results.forget(f"{INSTANCE}.1")
            await redis.publish(key(1), meta(1))
            await redis.publish(key(2), meta(2))
            return forgotten.done(), int((await asyncio.wait_for(kept, 5))["result"])

    assert asyncio.run(scenario()) == (False, 2)


@pytest.mark.parametrize("seconds", [0.2])
def test_without_a_server_nothing_is_heard_and_nothing_hangs(seconds: float) -> None:
    async def scenario() -> bool:
        redis = open_redis("redis://127.0.0.1:1/0", retries=0)
        results = Results(redis, INSTANCE)
        listener = asyncio.create_task(results.listen())
        heard = await results.wait_until_listening(seconds)
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
        await redis.aclose()
        return heard

    assert asyncio.run(asyncio.wait_for(scenario(), 5)) is False


@pytest.mark.parametrize("garbage", [b"not json", b"5", b"null", b"[]", b'{"task_id": 1}', b"\xff"])
def test_a_publication_that_is_no_result_is_left_alone_and_the_next_is_heard(
    redis_url: str, garbage: bytes
) -> None:
    async def scenario() -> int:
        async with listening(redis_url) as (results, redis):
            future = expect(results, f"{INSTANCE}.1")
            await redis.set(key(1), garbage)
            await results.fetch(f"{INSTANCE}.1")
            await redis.publish(key(1), garbage)
            await redis.publish(key(1), meta(1))
            return int((await asyncio.wait_for(future, 5))["result"])

    assert asyncio.run(scenario()) == 1
