"""What is pushed reaches the queue once and in order, or its sender hears why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

import pytest
from redis.asyncio import Redis

from api.link import Link
from api.publisher import Publisher
from api.redis_client import COMMAND_TIMEOUT_SECONDS, open_redis

pytestmark = pytest.mark.anyio
QUEUE = "publisher's"


class Failures(list[Exception]):
    """Takes each failure; `note` is what a push is given."""

    def note(self, error: Exception) -> None:
        self.append(error)


@asynccontextmanager
async def publishing(url: str) -> AsyncIterator[tuple[Publisher, Redis]]:
    """A publisher whose connection is still being made, and a client of its own."""
    redis, other = open_redis(url, retries=0), open_redis(url, retries=0)
    publisher = Publisher(redis, QUEUE)
    keeper = asyncio.create_task(publisher.keep())
    try:
        yield publisher, other
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await asyncio.gather(redis.aclose(), other.aclose())


async def queued(redis: Redis) -> list[bytes]:
    """What waits, the oldest first."""
    return list(reversed(await cast(Awaitable[list[bytes]], redis.lrange(QUEUE, 0, -1))))


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(500):
        if await condition():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def test_messages_arrive_in_order_those_before_the_connection_too(redis_url: str) -> None:
    failures = Failures()
    async with publishing(redis_url) as (publisher, redis):
        await redis.delete(QUEUE)
        wanted = [b"%d" % number for number in range(50)]
        for payload in wanted[:25]:
            publisher.push(payload, failures.note)
        await eventually(lambda: _holds(redis, 25))
        for payload in wanted[25:]:
            publisher.push(payload, failures.note)
        await eventually(lambda: _holds(redis, 50))
        assert await queued(redis) == wanted
    assert failures == []


async def _holds(redis: Redis, count: int) -> bool:
    return len(await queued(redis)) == count


async def test_after_a_broken_connection_messages_go_on_and_none_is_lost(redis_url: str) -> None:
    failures = Failures()
    async with publishing(redis_url) as (publisher, redis):
        await redis.delete(QUEUE)
        publisher.push(b"before", failures.note)
        await eventually(lambda: _holds(redis, 1))
        await redis.client_kill_filter(_type="normal", skipme=True)
        publisher.push(b"after", failures.note)
        await eventually(lambda: _holds(redis, 2))
        assert await queued(redis) == [b"before", b"after"]
    assert failures == []


async def test_without_a_server_a_push_fails_at_once() -> None:
    failures = Failures()
    async with publishing("redis://127.0.0.1:1/0") as (publisher, _):
        publisher.push(b"first", failures.note)
        await eventually(lambda: _noted(failures, 1))
        publisher.push(b"second", failures.note)
        assert len(failures) == 2


async def _noted(failures: Failures, count: int) -> bool:
    return len(failures) >= count


async def test_a_server_that_hangs_is_given_up_and_used_again_when_it_is_back(
    redis_url: str,
) -> None:
    failures = Failures()
    async with publishing(redis_url) as (publisher, redis):
        await redis.delete(QUEUE)
        publisher.push(b"before", failures.note)
        await eventually(lambda: _holds(redis, 1))
        pause_ms = round(COMMAND_TIMEOUT_SECONDS * 2000)
        await redis.client_pause(pause_ms)
        began = time.monotonic()
        publisher.push(b"into the void", failures.note)
        await eventually(lambda: _noted(failures, 1))
        assert isinstance(failures[0], TimeoutError)
        assert time.monotonic() - began >= COMMAND_TIMEOUT_SECONDS
        await asyncio.sleep(pause_ms / 1000)
        again = Failures()

        async def taken() -> bool:
            publisher.push(b"again", again.note)
            await asyncio.sleep(0.05)
            return b"again" in await queued(redis)

        await eventually(taken)


async def test_what_the_server_refuses_is_told_to_its_sender_alone(redis_url: str) -> None:
    refused, accepted = Failures(), Failures()
    async with publishing(redis_url) as (publisher, redis):
        await redis.set(QUEUE, "no list")
        publisher.push(b"one", refused.note)
        await eventually(lambda: _noted(refused, 1))
        await redis.delete(QUEUE)
        publisher.push(b"two", accepted.note)
        await eventually(lambda: _holds(redis, 1))
    assert "WRONGTYPE" in str(refused[0])
    assert accepted == []


async def test_a_connection_that_fails_in_an_unforeseen_way_is_tried_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Link.open

    async def fails_once(_link: Link, _redis: Redis) -> None:
        monkeypatch.setattr(Link, "open", opened)
        raise ValueError

    monkeypatch.setattr(Link, "open", fails_once)
    failures = Failures()
    async with publishing(redis_url) as (publisher, redis):
        await redis.delete(QUEUE)
        publisher.push(b"first", failures.note)
        await eventually(lambda: _noted(failures, 1))

        async def taken() -> bool:
            publisher.push(b"again", failures.note)
            await asyncio.sleep(0.05)
            return b"again" in await queued(redis)

        await eventually(taken)
    assert isinstance(failures[0], ValueError)
