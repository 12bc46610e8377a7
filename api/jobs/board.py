"""What is known of jobs: their state, whose they are, their results; and their end by the caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from redis.asyncio import Redis

from api.errors import NotFoundError
from api.jobs import scripts
from api.jobs.store import told
from api.jobs.worded import Lines, page_of, unscored
from worker.contract import (
    ACTIVE_JOBS,
    CALLBACKS,
    DEAD_CHUNKS,
    JOBS_OF,
    RESULTS_PER_PAGE,
    SHARDS,
    JobKeys,
)

JOBS_LISTED: Final = 100
PIECE_LINES: Final = 512
LOST: Final = "its chunk could not be read; the worker's log has the cause"
_ENDED: Final = (b"done", b"failed")

Job = dict[str, Any]


class Board:
    """The reading side, and cancelling. Raises NotFoundError and QueueUnavailableError."""

    def __init__(self, redis: Redis, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._clock = clock
        self._cancel = redis.register_script(scripts.CANCEL)

    async def status(self, job_id: str) -> Job:
        """The job's fields as `GET /jobs/{id}` shows them, and its `owner`."""
        read: Any = self._redis.hgetall(JobKeys(job_id).job)
        stored = {name.decode(): value.decode() for name, value in (await told(read)).items()}
        if "state" not in stored:
            raise NotFoundError("no such job; it may have expired")
        return _job(job_id, stored, self._clock())

    async def mine(self, owner: str) -> list[Job]:
        """The caller's newest jobs, newest first."""
        listed: Any = self._redis.zrevrange(JOBS_OF % owner, 0, JOBS_LISTED - 1)
        names = await told(listed)
        pipeline: Any = self._redis.pipeline(transaction=False)
        ids = [name.decode() for name in names]
        for job_id in ids:
            pipeline.hgetall(JobKeys(job_id).job)
        found = zip(ids, await told(pipeline.execute()), strict=True)
        decoded = [(i, {k.decode(): v.decode() for k, v in each.items()}) for i, each in found]
        return [_job(i, each, self._clock()) for i, each in decoded if "state" in each]

    async def cancel(self, job: Job) -> None:
        """End a job that runs and free what it holds; forget one that has ended."""
        job_id = job["job_id"]
        keys = JobKeys(job_id)
        names = [keys.job, keys.ledger, keys.plan, ACTIVE_JOBS, JOBS_OF % job["owner"]]
        names += [DEAD_CHUNKS, CALLBACKS]
        pages = -(-job["total"] // RESULTS_PER_PAGE)
        await told(self._cancel(names, [job_id, SHARDS, pages, job["chunks"]]))

    async def results(self, job: Job, offset: int) -> AsyncIterator[bytes]:
        """The results from `offset` on, in input order, page by page, up to the first pattern that has none yet.

        Where the job has ended none will come any more, and a line says so; not where it was forgotten or runs again
        meanwhile.
        """
        expected, ended = offset, job["state"].encode() in _ENDED
        while expected < job["total"]:
            number, place = divmod(expected, RESULTS_PER_PAGE)
            end = min(job["total"] - number * RESULTS_PER_PAGE, RESULTS_PER_PAGE)
            page = (await self._page(job["job_id"], number))[place:end]
            if ended and None in page:
                ended = await self._ended(job["job_id"])
            lines = []
            for position, line in enumerate(page, expected):
                if line is None and not ended:
                    break
                lines.append(line or unscored(position, LOST))
            for start in range(0, len(lines), PIECE_LINES):
                yield b"\n".join(lines[start : start + PIECE_LINES]) + b"\n"
            expected += len(lines)
            if len(lines) < len(page):
                return

    async def _ended(self, job_id: str) -> bool:
        read: Any = self._redis.hget(JobKeys(job_id).job, "state")
        return await told(read) in _ENDED

    async def _page(self, job_id: str, page: int) -> Lines:
        read: Any = self._redis.hvals(JobKeys(job_id).results(page))
        return await asyncio.to_thread(page_of, await told(read))


def _job(job_id: str, stored: dict[str, str], now: float) -> Job:
    counts = {name: int(stored[name]) for name in ("total", "done", "failed", "broken", "chunks")}
    started = float(stored["started"]) if "started" in stored else None
    finished = float(stored["finished"]) if "finished" in stored else None
    worked = counts["done"] + counts["failed"] - counts["broken"]
    rate = eta = None
    if started is not None and worked:
        rate = worked / max((finished or now) - started, 1e-3)
        left = counts["total"] - counts["done"] - counts["failed"]
        eta = now + left / rate if stored["state"] == "running" else None
    return {
        "job_id": job_id,
        "state": stored["state"],
        **counts,
        "created": float(stored["created"]),
        "started": started,
        "finished": finished,
        "patterns_per_second": None if rate is None else round(rate, 1),
        "estimated_end": None if eta is None else round(eta, 1),
        "callback": _callback(stored),
        "owner": stored["owner"],
    }


def _callback(stored: dict[str, str]) -> dict[str, object] | None:
    if "callback" not in stored:
        return None
    return {
        "state": "dropped" if stored["state"] == "cancelled" else stored["callback_state"],
        "attempts": int(stored["callback_attempts"]),
        "error": stored.get("callback_error"),
    }
