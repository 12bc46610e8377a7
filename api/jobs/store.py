"""Stores a job: staged piece by piece under keys that expire by themselves, then made visible in one step."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, RedisError

from api.errors import ConflictError, QueueUnavailableError, StorageFullError
from api.jobs import scripts
from api.jobs.draft import Draft, Load
from worker.contract import (
    ACTIVE_JOBS,
    JOB_BY_CONTENT,
    JOBS_OF,
    MAX_RUN_SECONDS,
    RESULTS_PER_PAGE,
    SHARDS,
    JobKeys,
)

STAGING_SECONDS: Final = 3600  # what a front end that died has left behind lives so long
T = TypeVar("T")


@dataclass(frozen=True)
class Claimant:
    """Who submits, under which idempotency key (the header's, or the content's digest), and what."""

    owner: str
    key: str
    digest: str


class JobStore:
    """The writing side. Raises QueueUnavailableError and StorageFullError."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._publish = redis.register_script(scripts.PUBLISH)
        self._discard = redis.register_script(scripts.DISCARD)

    async def stage(self, job_id: str, load: Load) -> None:
        """Keep compressed rows, not yet as part of any job."""
        keys = JobKeys(job_id)
        pipeline: Any = self._redis.pipeline(transaction=False)
        for shard, number, blob in load.fragments:
            pipeline.hset(keys.data(shard), str(number), blob)
            pipeline.expire(keys.data(shard), STAGING_SECONDS)
        for page, blob in load.broken.items():
            pipeline.hset(keys.results(page), f"broken:{load.number}", blob)
            pipeline.expire(keys.results(page), STAGING_SECONDS)
        await told(pipeline.execute())

    async def publish(
        self, job_id: str, draft: Draft, who: Claimant, fields: dict[str, Any]
    ) -> tuple[str, list[str]]:
        """Make the job visible, whole; its id and its plan, or the id of the job that was sent before and no plan.

        Raises ConflictError when the idempotency key stands for other content.
        """
        keys, plan = JobKeys(job_id), draft.plan()
        keyed = JOB_BY_CONTENT % f"{who.owner}:{who.key}"
        names = [keys.job, keys.ledger, keys.plan, keyed, ACTIVE_JOBS, JOBS_OF % who.owner]
        values: list[Any] = [job_id, who.digest, draft.fragments, SHARDS]
        values += [-(-draft.total // RESULTS_PER_PAGE), MAX_RUN_SECONDS, fields["created"]]
        values += [len(plan), *plan]
        for name, value in (
            {"keyed": keyed, "open": len(plan), "chunks": len(plan)} | fields
        ).items():
            values += [name, value]
        found: bytes | None = await told(self._publish(names, values))
        if found is None:
            raise QueueUnavailableError("the upload took too long and is gone; send it again")
        known, _, digest = found.decode().partition(":")
        if digest != who.digest:
            raise ConflictError
        return known, plan if known == job_id else []

    async def discard(self, job_id: str, total: int) -> None:
        """Forget what was staged; what cannot be forgotten now expires.

        Not so where the job is visible after all: the reply to its publication may have been lost.
        """
        keys = JobKeys(job_id)
        names = [keys.job, *(keys.data(shard) for shard in range(SHARDS))]
        names += [keys.results(page) for page in range(-(-total // RESULTS_PER_PAGE))]
        with contextlib.suppress(RedisError, OSError):
            await self._discard(names)


async def told(command: Awaitable[T]) -> T:
    """The command's reply, its failure in the front end's own words."""
    try:
        return await command
    except OutOfMemoryError as error:
        raise StorageFullError from error
    except (RedisError, OSError) as error:
        if "OOM" in str(error):
            raise StorageFullError from error
        raise QueueUnavailableError("the store of jobs cannot be reached; try again") from error
