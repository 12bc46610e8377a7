"""Many requests at once from one thread, each connection with one request at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


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
