"""Which chunk of which job has its results: claims with a lease and a fence, and what is written under them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from redis import Redis

from worker.contract import (
    ACTIVE_JOBS,
    CALLBACKS,
    DEAD_CHUNKS,
    MAX_CHUNK_FAILURES,
    MAX_RUN_SECONDS,
    RESULTS_PER_PAGE,
    SHARDS,
    JobKeys,
)
from worker.jobs import scripts


@dataclass(frozen=True)
class Claim:
    """A chunk that this worker may work on until its lease ends. `stored`: its results lie there already."""

    job_id: str
    chunk: int
    fence: str
    stored: bool
    parts: list[list[int]]


@dataclass(frozen=True)
class Closed:
    """What closing a chunk led to: which chunk may begin now."""

    next_chunk: int | None


@dataclass(frozen=True)
class OpenChunk:
    """One chunk without an end: `expired` when its claim's lease is over by the server's clock, `ready` when the chunk
    before it, if any, has ended, `hopeless` when it failed too often and has no results.

    `waited_leases`: how many leases ago the sweep saw it waiting, or sent it, last; None when it did not yet."""

    chunk: int
    state: str
    failures: int
    stored: bool
    expired: bool
    ready: bool
    waited_leases: float | None

    def hopeless(self, failures: int) -> bool:
        """Whether so many failures end it: what is stored has only to be written, which no pattern can prevent."""
        return failures >= MAX_CHUNK_FAILURES and not self.stored


class Ledger:
    """Every method is one step that happens whole or not at all. Raises RedisError when the server is gone or full."""

    def __init__(self, redis: Redis, lease_seconds: float) -> None:
        self._redis: Any = redis  # its types leave open whether a reply is bytes
        self._lease_seconds = lease_seconds
        self._claim = redis.register_script(scripts.CLAIM)
        self._renew = redis.register_script(scripts.RENEW)
        self._store = redis.register_script(scripts.STORE)
        self._close = redis.register_script(scripts.CLOSE)
        self._release = redis.register_script(scripts.RELEASE)
        self._seen = redis.register_script(scripts.SEEN)

    def claim(self, job_id: str, chunk: int) -> Claim | None:
        """The chunk under a new fence; None when it is taken, ended, cancelled or waits for the one before it."""
        keys = JobKeys(job_id)
        found: Any = self._claim(
            [keys.job, keys.ledger, keys.plan], [chunk, self._lease_seconds, MAX_CHUNK_FAILURES]
        )
        if found is None:
            return None
        fence, stored, plan = found
        return Claim(job_id, chunk, fence.decode(), bool(stored), json.loads(plan)["parts"])

    def renew(self, claim: Claim) -> bool:
        """Begin the lease anew; False when somebody else has the chunk by now."""
        keys = JobKeys(claim.job_id)
        return bool(self._renew([keys.ledger], [claim.chunk, claim.fence, self._lease_seconds]))

    def fragments(self, claim: Claim) -> Iterator[bytes]:
        """The chunk's compressed rows, in the order in which they came. Raises LookupError when one is gone."""
        keys = JobKeys(claim.job_id)
        pipeline = self._redis.pipeline(transaction=False)
        for shard, first, last in claim.parts:
            pipeline.hmget(keys.data(shard), [*map(str, range(first, last + 1))])
        for blob in chain.from_iterable(pipeline.execute()):
            if blob is None:
                raise LookupError(f"chunk {claim.job_id}.{claim.chunk} has lost its rows")
            yield blob

    def store(self, claim: Claim, pages: Mapping[int, bytes], entries: bytes) -> bool:
        """Keep a chunk's results, and what must still enter the histories; False when the claim no longer stands."""
        keys = JobKeys(claim.job_id)
        names = [keys.ledger, keys.entries(claim.chunk), *map(keys.results, pages)]
        values: list[Any] = [claim.chunk, claim.fence, claim.chunk, MAX_RUN_SECONDS, entries]
        return bool(self._store(names, [*values, *pages.values()]))

    def entries(self, claim: Claim) -> bytes:
        """What `store` kept for the histories. Raises LookupError when it is gone."""
        kept = self._redis.get(JobKeys(claim.job_id).entries(claim.chunk))
        if not isinstance(kept, bytes):
            raise LookupError(f"chunk {claim.job_id}.{claim.chunk} has lost its entries")
        return kept

    def close(self, claim: Claim, scored: int, failed: int) -> Closed | None:
        """Count the chunk as done; None when the claim no longer stands."""
        return self._end(claim, (scored, failed), "done", "", {})

    def bury(self, claim: Claim, rows: int, note: str, pages: Mapping[int, bytes]) -> Closed | None:
        """Put a waiting chunk on the dead-letter list, its rows failed as `pages` tell; None when it waits no more."""
        return self._end(claim, (0, rows), "dead", note, pages)

    def release(self, claim: Claim, *, failed: bool) -> int:
        """Give the chunk back; its failures so far, -1 when the claim no longer stands."""
        keys = JobKeys(claim.job_id)
        return int(self._release([keys.ledger], [claim.chunk, claim.fence, int(failed)]))

    def expire(self, job_id: str, chunk: int) -> int:
        """Free a chunk whose lease is over and count a failure; its failures so far, -1 when it is held."""
        return int(self._release([JobKeys(job_id).ledger], [chunk, "", 1]))

    def active(self) -> list[str]:
        """The jobs that have not ended, the oldest first; those that were forgotten are dropped from the list."""
        found = [name.decode() for name in self._redis.zrange(ACTIVE_JOBS, 0, -1)]
        lost = [job_id for job_id in found if not self._redis.exists(JobKeys(job_id).job)]
        if lost:
            self._redis.zrem(ACTIVE_JOBS, *lost)
        return [job_id for job_id in found if job_id not in lost]

    def open_chunks(self, job_id: str) -> list[OpenChunk]:
        """The chunks that are waiting or claimed."""
        keys = JobKeys(job_id)
        ledger = {k.decode(): v.decode() for k, v in self._redis.hgetall(keys.ledger).items()}
        seconds, micros = self._redis.time()
        now = seconds + micros / 1e6
        ended = {n[2:] for n, v in ledger.items() if n[:2] == "s:" and v in {"done", "dead"}}
        names = [n[2:] for n in ledger if n[:2] == "s:" and n[2:] not in ended]
        plans = self._redis.hmget(keys.plan, names) if names else []
        found = []
        for name, plan in zip(names, plans, strict=True):
            after, seen = json.loads(plan)["after"], ledger.get(f"w:{name}")
            found.append(
                OpenChunk(
                    int(name),
                    ledger[f"s:{name}"],
                    int(ledger.get(f"e:{name}", 0)),
                    f"r:{name}" in ledger,
                    float(ledger.get(f"l:{name}", "inf")) < now,
                    after is None or str(after) in ended,
                    (now - float(seen)) / self._lease_seconds if seen is not None else None,
                )
            )
        return found

    def seen(self, job_id: str, chunks: Sequence[int]) -> None:
        """Let these chunks, as far as they wait, have waited from now on."""
        if chunks:
            self._seen([JobKeys(job_id).ledger], [*chunks])

    def waiting(self, job_id: str, chunk: int) -> tuple[Claim, int]:
        """The chunk as it would be claimed, to be read only, and its rows. Raises LookupError when the job is gone."""
        plan = self._redis.hget(JobKeys(job_id).plan, str(chunk))
        if plan is None:
            raise LookupError(f"job {job_id} is gone")
        entry = json.loads(plan)
        return Claim(job_id, chunk, "", False, entry["parts"]), entry["rows"]

    def _end(
        self,
        claim: Claim,
        counts: tuple[int, int],
        outcome: str,
        note: str,
        results: Mapping[int, bytes],
    ) -> Closed | None:
        keys, chunk = JobKeys(claim.job_id), claim.chunk
        total = int(self._redis.hget(keys.job, "total") or 0)
        pages = -(-total // RESULTS_PER_PAGE)
        names = [keys.job, keys.ledger, keys.plan, keys.entries(chunk)]
        names += [ACTIVE_JOBS, DEAD_CHUNKS, CALLBACKS, *map(keys.results, results)]
        values: list[Any] = [chunk, claim.fence, *counts, claim.job_id, pages, SHARDS]
        found: Any = self._close(names, [*values, outcome, note, *results.values()])
        return None if found is None else Closed(found if found >= 0 else None)
