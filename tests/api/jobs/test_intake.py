"""Who may send jobs at the same time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from redis import Redis

from api.jobs.intake import UPLOADS_AT_ONCE, UPLOADS_OF_A_CALLER
from tests.api.front import app_for, client_of, refused, request_body

pytestmark = pytest.mark.anyio


class Slow:
    """Bodies of one valid pattern each whose ends are held back."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self._begun = 0
        self._read = asyncio.Event()

    async def _body(self, first: bytes) -> AsyncIterator[bytes]:
        yield first
        self._read.set()  # asked for more
        await self.go_on.wait()
        yield b"\n"

    async def sending(
        self, client: httpx.AsyncClient, first: bytes | None = None
    ) -> asyncio.Task[httpx.Response]:
        """A request of which the front end has read the first piece."""
        did = f"0x{self._begun:x}"
        piece = first or json.dumps(request_body(did=did)).encode()
        self._begun += 1
        self._read.clear()
        task = asyncio.create_task(client.post("/jobs", content=self._body(piece)))
        await self._read.wait()
        return task


async def test_a_caller_holds_few_places_and_leaves_the_others_to_others(redis_url: str) -> None:
    app, slow = app_for(redis_url=redis_url), Slow()
    callers = [client_of(app, f"192.0.2.{n}") for n in range(1, 6)]
    async with app.router.lifespan_context(app):
        tasks = []
        for caller in callers[: UPLOADS_AT_ONCE // UPLOADS_OF_A_CALLER]:
            tasks += [await slow.sending(caller) for _ in range(UPLOADS_OF_A_CALLER)]
        one_more = json.dumps(request_body(did="0xff"))
        response = await callers[0].post("/jobs", content=one_more)
        assert "2 jobs of yours" in refused(response, 429, "RATE_LIMITED")
        response = await callers[-1].post("/jobs", content=one_more)
        assert "8 jobs are being sent" in refused(response, 503, "OVERLOADED")
        slow.go_on.set()
        assert {(await task).status_code for task in tasks} == {202}
        assert (await callers[0].post("/jobs", content=one_more)).status_code == 202


async def test_a_refused_client_has_no_place_while_the_rest_of_its_body_is_read(
    redis_url: str, redis: Redis
) -> None:
    app, slow = app_for(redis_url=redis_url, job_max_patterns=1), Slow()
    client = client_of(app)
    two = b"\n".join(json.dumps(request_body(did=f"0x{n:x}")).encode() for n in (1, 2)) + b"\n"
    async with app.router.lifespan_context(app):
        tasks = [await slow.sending(client, two) for _ in range(UPLOADS_OF_A_CALLER)]
        response = await client.post("/jobs", content=json.dumps(request_body(did="0xff")))
        assert response.status_code == 202
        slow.go_on.set()
        for task in tasks:
            refused(await task, 413, "BODY_TOO_LARGE")


@pytest.fixture
def redis(redis_url: str) -> Redis:
    client = Redis.from_url(redis_url)
    client.flushdb()
    return client
