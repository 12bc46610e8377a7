"""Sends again what has no result: chunks whose worker died or whose message was lost. Beat calls it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import structlog
from pydantic_core import to_json

from worker.contract import ErrorCode
from worker.jobs.ledger import Ledger, OpenChunk
from worker.jobs.results import error_pages
from worker.jobs.rows import rows_of

PATIENCE_LEASES = (
    5  # in a queue that is never empty a chunk waits so long before its name counts as lost
)
OVERDUE_A_RUN = (
    16  # a name that was not lost costs a worker a millisecond: a long queue must not double itself
)

UNREADABLE = (LookupError, ValueError, TypeError, struct.error, zlib.error)

Send = Callable[[str, int], None]


class Sweep:
    """`queued` tells how many messages wait in the bulk queue; `clock` tells Unix seconds."""

    def __init__(
        self, ledger: Ledger, send: Send, queued: Callable[[], int], clock: Callable[[], float]
    ) -> None:
        self._ledger = ledger
        self._send = send
        self._queued = queued
        self._clock = clock
        self._overdue_left = 0

    def run(self) -> int:
        """Free, bury and send again; how many chunks were sent. Raises RedisError.

        A chunk that only waits is sent when no message waits in the queue: until then its turn may still come. Where
        the queue never empties, the few that have waited longest beyond all patience are sent: a claim is given once.
        """
        idle = self._queued() == 0
        self._overdue_left = OVERDUE_A_RUN
        sent = 0
        for job_id in self._ledger.active():
            try:
                sent += self._sweep(job_id, idle)
            except UNREADABLE:  # the jobs behind it must not wait for it
                structlog.get_logger().exception("job_unreadable", job=job_id)
        if sent:
            structlog.get_logger().info("chunks_sent_again", chunks=sent)
        return sent

    def _sweep(self, job_id: str, idle: bool) -> int:
        chunks = self._ledger.open_chunks(job_id)
        due = [each for chunk in chunks if (each := self._due(job_id, chunk, idle)) is not None]
        if not idle:
            due += self._overdue(chunks)
        due = list(dict.fromkeys(due))
        for number in due:
            self._send(job_id, number)
        unseen = [chunk.chunk for chunk in chunks if chunk.ready and chunk.waited_leases is None]
        self._ledger.seen(job_id, [*unseen, *due])
        return len(due)

    def _overdue(self, chunks: list[OpenChunk]) -> list[int]:
        found = [
            (chunk.waited_leases, chunk.chunk)
            for chunk in chunks
            if chunk.state == "waiting"
            and chunk.ready
            and (chunk.waited_leases or 0) > PATIENCE_LEASES
        ]
        found = sorted(found, reverse=True)[: self._overdue_left]
        self._overdue_left -= len(found)
        return [chunk for _, chunk in found]

    def _due(self, job_id: str, chunk: OpenChunk, idle: bool) -> int | None:
        """The chunk to send: this one, or the one that waited for it where this one has no hope."""
        failures, freed = chunk.failures, False
        if chunk.state == "claimed":
            if not chunk.expired:
                return None
            failures = self._ledger.expire(job_id, chunk.chunk)
            if failures < 0:
                return None
            freed = True
        if chunk.hopeless(failures):
            return self._bury(job_id, chunk.chunk, failures)
        return chunk.chunk if freed or (idle and chunk.ready) else None

    def _bury(self, job_id: str, chunk: int, failures: int) -> int | None:
        log = structlog.get_logger().bind(job=job_id, chunk=chunk)
        claim, patterns = self._ledger.waiting(job_id, chunk)
        error = {
            "error_code": ErrorCode.INFERENCE_ERROR,
            "detail": f"its chunk, {job_id}.{chunk}, failed {failures} times; the worker's log has the cause",
        }
        try:
            rows = rows_of(self._ledger.fragments(claim))
            positions = rows.packed["position"].tolist()
        except UNREADABLE:
            log.exception("chunk_unreadable")
            positions = []  # whoever reads the results is told of the gap
        pages = error_pages(positions, error)
        note = {"job_id": job_id, "chunk": chunk, "patterns": patterns, "since": self._clock()}
        closed = self._ledger.bury(claim, patterns, to_json(note).decode(), pages)
        if closed is None:
            return None
        log.error("chunk_dead", patterns=patterns)
        return closed.next_chunk
