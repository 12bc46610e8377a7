"""Callbacks to a real server: signed, tried again, never redirected."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from api.jobs.courier import Courier
from api.jobs.outbox import Call, Outbox
from api.jobs.target import Targets
from api.redis_client import open_redis
from tests.api.jobs.receiver import Receiver, certificate_for, documented_verifier, receiving
from tests.api.jobs.test_outbox import JOB, ended, shown
from worker.contract import CALLBACKS, JobKeys

pytestmark = pytest.mark.anyio
KEY = b"k" * 32
NOW = 1_790_000_000.0
DONE = b'{"state":"done"}'
NOT_LISTED = (
    "callback_url must name a host, and a port if it is not the usual one, of CALLBACK_HOSTS"
)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


@asynccontextmanager
async def couriers(redis: Redis, port: int, count: int = 1) -> AsyncIterator[None]:
    async def body(_call: Call) -> bytes:
        return DONE

    async def look_up(host: str, _port: int) -> list[str]:
        if host.startswith("unsayable"):
            raise UnicodeError("label too long")
        return ["127.0.0.1"]

    hosts = [f"127.0.0.1:{port}", f"hooks.example.org:{port}", "unsayable.example.org"]
    targets = Targets(hosts, [ipaddress.ip_network("127.0.0.0/8")], look_up)
    made = [Courier(Outbox(redis, 60), targets, KEY, body, lambda: NOW) for _ in range(count)]
    for each in made:
        each.start()
    try:
        yield
    finally:
        for each in made:
            await each.close()


async def due(redis: Redis, url: str) -> None:
    client: Any = redis
    await ended(redis)
    await client.hset(JobKeys(JOB).job, "callback", url)


async def until(redis: Redis, state: str, error: str | None, attempts: str) -> None:
    for _ in range(1000):
        found = await shown(redis, "state", "error", "attempts")
        if found == [state, error, attempts]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def test_a_job_that_ended_is_told_once_by_one_of_two_and_signed(redis: Redis) -> None:
    with receiving(Receiver()) as receiver:
        await due(redis, f"http://127.0.0.1:{receiver.port}/done?x=1")
        async with couriers(redis, receiver.port, count=2):
            await until(redis, "delivered", None, "1")
    ((path, headers, body),) = receiver.heard
    assert (path, body) == ("/done?x=1", DONE)
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    verified = documented_verifier()
    assert verified(KEY.decode(), headers, body, NOW)
    assert not verified(KEY.decode(), headers, body + b" ", NOW)
    assert not verified("other", headers, body, NOW)
    assert not verified(KEY.decode(), headers, body, NOW + 301)
    changed = headers | {"webhook-timestamp": str(int(NOW) + 1)}
    assert not verified(KEY.decode(), changed, body, NOW)


async def test_a_server_that_refuses_or_redirects_is_asked_again_and_not_followed(
    redis: Redis,
) -> None:
    with receiving(Receiver(statuses=[500, 302, 200])) as receiver:
        await due(redis, f"http://127.0.0.1:{receiver.port}/done")
        async with couriers(redis, receiver.port):
            await until(redis, "pending", "the answer was 500, not 2xx", "1")
            await until(redis, "pending", "the answer was 302, not 2xx", "2")
            await until(redis, "delivered", None, "3")
    assert [path for path, _, _ in receiver.heard] == ["/done"] * 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.heard}) == 1


async def test_a_server_that_is_away_is_told_when_it_is_back(redis: Redis) -> None:
    with receiving(Receiver()) as receiver:
        port = receiver.port
    await due(redis, f"http://127.0.0.1:{port}/done")
    async with couriers(redis, port):
        await until(redis, "pending", "no connection, or it broke off", "1")
    with receiving(Receiver(), port) as receiver:
        async with couriers(redis, port):
            await until(redis, "delivered", None, "2")
    assert len(receiver.heard) == 1


@pytest.mark.parametrize(
    ("name", "state", "error"),
    [
        ("hooks.example.org", "delivered", None),
        ("other.example.org", "pending", "no connection, or it broke off"),
    ],
)
async def test_the_certificate_must_be_the_names_and_not_the_addresss(
    redis: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    state: str,
    error: str | None,
) -> None:
    certificate = certificate_for(name, tmp_path / "certificate.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with receiving(Receiver(), certificate=certificate) as receiver:
        await due(redis, f"https://hooks.example.org:{receiver.port}/done")
        async with couriers(redis, receiver.port):
            await until(redis, state, error, "1")
    hosts = [headers["host"] for _, headers, _ in receiver.heard]
    assert hosts == [f"hooks.example.org:{receiver.port}"] * (error is None)


async def test_plain_text_where_a_certificate_is_promised_is_no_delivery(redis: Redis) -> None:
    with receiving(Receiver()) as receiver:
        await due(redis, f"https://hooks.example.org:{receiver.port}/done")
        async with couriers(redis, receiver.port):
            await until(redis, "pending", "no connection, or it broke off", "1")
    assert receiver.heard == []


async def test_a_host_that_is_not_listed_any_more_gets_nothing(redis: Redis) -> None:
    with receiving(Receiver()) as receiver:
        await due(redis, f"http://127.0.0.1:{receiver.port}/done")
        async with couriers(redis, port=1):
            await until(redis, "pending", NOT_LISTED, "1")
    assert receiver.heard == []
    assert await redis.zcard(CALLBACKS) == 1


async def test_what_nobody_foresaw_is_settled_and_tried_again_after_a_pause(redis: Redis) -> None:
    await due(redis, "https://unsayable.example.org/done")
    async with couriers(redis, port=1):
        unforeseen = "it could not be sent; the service's log has the cause"
        await until(redis, "pending", unforeseen, "1")
        await until(redis, "pending", unforeseen, "2")
