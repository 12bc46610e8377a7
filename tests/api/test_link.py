from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import hiredis
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.link import Link
from api.redis_client import open_redis

pytestmark = pytest.mark.anyio
SECONDS = 5.0


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[tuple[Link, list[Any], Redis]]:
    """A link, what it hears, and a client of the same server."""
    redis = open_redis(url, retries=0)
    await redis.flushdb()
    heard: list[Any] = []
    link = Link(heard.append)
    await link.open(redis)
    yield link, heard, redis
    link.close()
    await asyncio.wait_for(link.lost, SECONDS)
    await redis.aclose()


async def until(heard: list[Any], count: int) -> None:
    for _ in range(1000):
        if len(heard) >= count:
            return
        await asyncio.sleep(0.005)
    raise TimeoutError(heard)


async def test_replies_come_in_the_order_of_the_commands_and_errors_are_replies(
    redis_url: str,
) -> None:
    async with linked(redis_url) as (link, heard, _):
        link.send("SET", "a", b"\xff\x00")
        link.send("NONSENSE")
        link.send("GET", "a")
        await until(heard, 3)
    assert heard[0] == b"OK"
    assert isinstance(heard[1], hiredis.ReplyError)
    assert heard[2] == b"\xff\x00"


async def test_what_is_published_is_heard_too(redis_url: str) -> None:
    async with linked(redis_url) as (link, heard, redis):
        link.send("PSUBSCRIBE", "some.*")
        await until(heard, 1)
        await redis.publish("some.thing", "x" * 300_000)
        await until(heard, 2)
    assert heard[0][0] == b"psubscribe"
    assert heard[1] == [b"pmessage", b"some.*", b"some.thing", b"x" * 300_000]


async def test_it_speaks_to_the_database_of_its_url(redis_url: str) -> None:
    async with linked(redis_url.rpartition("/")[0] + "/3") as (link, heard, redis):
        link.send("SET", "only here", "1")
        await until(heard, 1)
        assert await redis.get("only here") == b"1"


async def test_a_connection_that_the_server_ends_is_lost_and_takes_no_more(redis_url: str) -> None:
    async with linked(redis_url) as (link, heard, redis):
        link.send("CLIENT", "ID")
        await until(heard, 1)
        await redis.client_kill_filter(_id=str(heard[0]))
        await asyncio.wait_for(link.lost, SECONDS)
        link.send("PING")
        await asyncio.sleep(0.05)
    assert len(heard) == 1


async def test_a_server_that_is_not_there_is_an_error() -> None:
    redis = open_redis("redis://127.0.0.1:1/0", retries=0)
    with pytest.raises((RedisError, OSError)):
        await Link(lambda _: None).open(redis)
    await redis.aclose()


async def test_rubbish_from_the_server_ends_the_connection() -> None:
    link = Link(lambda _: None)
    closed: list[bool] = []

    class Transport(asyncio.Transport):
        def abort(self) -> None:
            closed.append(True)

    link._transport = Transport()
    link.data_received(b"what is this\r\n")
    assert closed == [True]
