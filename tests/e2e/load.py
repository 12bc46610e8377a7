"""Many requests at once from one thread, each connection with one request at a time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from tests.e2e.service import pattern


async def _all(url: str, bodies: list[Any], connections: int) -> list[httpx.Response]:
    waiting = list(enumerate(bodies))[::-1]
    answers: dict[int, httpx.Response] = {}

    async def work() -> None:
        async with httpx.AsyncClient(timeout=30, verify=False) as client:
            while waiting:
                index, body = waiting.pop()
                answers[index] = await client.post(url, json=body)

    await asyncio.gather(*(work() for _ in range(min(connections, len(bodies)))))
    return [answers[index] for index in range(len(bodies))]


def post_all(url: str, bodies: list[Any], connections: int) -> list[httpx.Response]:
    """Every answer, in the order of the bodies; raises if one request stays without an answer."""
    return asyncio.run(_all(url, bodies, connections))


async def insist(port: int, connections: int, when_refused: Callable[[], None]) -> Counter[int]:
    """Everybody asks on a connection of its own, and at once again after each 503. How often each status came.

    `when_refused` is called at the first 503.
    """
    body = json.dumps(pattern()).encode()
    request = b"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Length: %d\r\n\r\n" % len(body)
    counts: Counter[int] = Counter()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        status = 503
        while status == 503:
            writer.write(request + body)
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
            status = int(head[9:12])
            counts[status] += 1
            if status == 503 and counts[503] == 1:
                when_refused()
        writer.close()

    await asyncio.wait_for(asyncio.gather(*(ask() for _ in range(connections))), 60)
    return counts
