"""The dead-letter list: chunks that failed too often, to be looked at, tried again, or dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis

from api.errors import NotFoundError
from api.jobs import scripts
from api.jobs.names import Names
from api.jobs.store import told
from worker.contract import (
    ACTIVE_JOBS,
    CALLBACKS,
    DEAD_CHUNKS,
    MAX_RUN_SECONDS,
    RESULTS_PER_PAGE,
    SHARDS,
    JobKeys,
)

Letter = dict[str, Any]


class DeadLetters:
    """By name, `<job>.<chunk>`. Raises QueueUnavailableError."""

    def __init__(self, redis: Redis, names: Names, clock: Callable[[], float]) -> None:
        self._redis: Any = redis
        self._names = names
        self._clock = clock
        self._retry = redis.register_script(scripts.RETRY)

    async def all(self) -> list[Letter]:
        """Every dead chunk, the oldest first; those whose job is gone are taken off the list."""
        found = []
        for name, note in (await told(self._redis.hgetall(DEAD_CHUNKS))).items():
            letter = {"name": name.decode(), **json.loads(note)}
            if await told(self._redis.exists(JobKeys(letter["job_id"]).job)):
                found.append(letter)
            else:
                await told(self._redis.hdel(DEAD_CHUNKS, name))
        return sorted(found, key=lambda letter: (letter["since"], letter["name"]))

    async def retry(self, name: str) -> None:
        """Let the chunk be scored once more, with all its tries before it; its job runs again.

        Raises NotFoundError.
        """
        letter = await self._one(name)
        job_id, chunk = letter["job_id"], letter["chunk"]
        keys = JobKeys(job_id)
        total, keyed = await told(self._redis.hmget(keys.job, "total", "keyed"))
        if total is None:
            raise _unknown()
        names = [keys.job, keys.ledger, keys.plan, DEAD_CHUNKS, ACTIVE_JOBS, CALLBACKS, keyed]
        pages = -(-int(total) // RESULTS_PER_PAGE)
        values = [job_id, chunk, letter["patterns"], self._clock(), SHARDS, pages, MAX_RUN_SECONDS]
        sent = await told(self._retry(names, values))
        if not sent:
            raise _unknown()
        await self._names.send(job_id, [chunk])

    async def drop(self, name: str) -> None:
        """Take the chunk off the list; its patterns stay failed. Raises NotFoundError."""
        await self._one(name)
        await told(self._redis.hdel(DEAD_CHUNKS, name))

    async def _one(self, name: str) -> Letter:
        note = await told(self._redis.hget(DEAD_CHUNKS, name))
        if note is None:
            raise _unknown()
        letter: Letter = json.loads(note)
        return letter


def _unknown() -> NotFoundError:
    return NotFoundError("no such dead letter; GET /dead-letters lists them")
