"""Many requests at once from one thread, each connection with one request at a time."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


async def _all(url: str, bodies: list[Any], connections: int) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    async with httpx.AsyncClient(limits=limits, timeout=30) as client:
        return await asyncio.gather(*(client.post(url, json=body) for body in bodies))


def post_all(url: str, bodies: list[Any], connections: int) -> list[httpx.Response]:
    """Every answer, in the order of the bodies; raises if one request stays without an answer."""
    return asyncio.run(_all(url, bodies, connections))
