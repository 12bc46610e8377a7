"""A job in the store, as the front end leaves it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from api.jobs.draft import Draft, Pattern
from api.jobs.store import Claimant, JobStore
from api.redis_client import open_redis
from worker.jobs.rows import JobRows, rows_of

JOB = "0" * 32
NOW = 1_790_000_000.0


def scattered(n: int) -> float:
    """A typing speed near 60 that leads nowhere as n grows, and is never the same twice."""
    return 60 + (0.5 + n / 8) * (-1.0 if n % 2 else 1.0)


def row(name: str | None, speed: float = 60.0, brought: list[Any] | None = None) -> list[Any]:
    """A row of the wire for a DID whose hash begins with `name`."""
    return [name and name.ljust(32, "0"), [speed, 80 + speed / 2, 90.0, 3.0, 9], brought, None]


def drafted(rows: list[tuple[list[Any], float]]) -> Draft:
    """`(row, unix seconds)` as the front end takes them in."""
    draft = Draft()
    for (did_hash, numbers, brought, windows), seconds in rows:
        did = None if did_hash is None else bytes.fromhex(did_hash)
        more = (brought, windows) if brought or windows else None
        draft.add(Pattern(did, numbers, seconds, more))
    return draft


def job_rows(rows: list[tuple[list[Any], float]]) -> JobRows:
    """The same as a worker reads them."""
    return rows_of(blob for _, _, blob in drafted(rows).take().compressed().fragments)


def post(redis_url: str, rows: list[tuple[list[Any], float]], job_id: str = JOB) -> list[Any]:
    """Store and publish `(row, unix seconds)`; the plan."""
    return asyncio.run(_publish(redis_url, drafted(rows), job_id))


async def _publish(redis_url: str, draft: Draft, job_id: str) -> list[Any]:
    redis = open_redis(redis_url)
    try:
        store = JobStore(redis)
        await store.stage(job_id, draft.take().compressed())
        fields = {
            "state": "queued",
            "owner": "me",
            "created": NOW,
            "total": draft.total,
            "broken": 0,
            "failed": 0,
            "done": 0,
            "keep_seconds": 600,
        }
        _, plan = await store.publish(job_id, draft, Claimant("me", job_id, "digest"), fields)
        return [json.loads(chunk) for chunk in plan]
    finally:
        await redis.aclose()
