"""One chunk from its name to its end: claim, score, store, enter into the histories, close.

Results are stored before the histories are touched, together with what must enter them. A worker that dies between the
two leaves a chunk whose next owner scores nothing anew: it only writes what was decided, and a mark beside the
histories lets that happen once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from worker.contract import MAX_CHUNK_FAILURES, MAX_RUN_SECONDS, applied_key
from worker.history import History, HistoryUnavailableError
from worker.jobs.ended import Ended
from worker.jobs.entries import Entering, joined, packed, unpacked
from worker.jobs.ledger import Claim, Ledger
from worker.jobs.rows import rows_of
from worker.jobs.waves import Waves

T = TypeVar("T")
RENEW_SHARE = 3  # a lease is renewed when a third of it has passed


class FencedError(Exception):
    """Raised when the chunk belongs to somebody else by now."""


class Chunks:
    """Works off chunks by name. `send` is left to the caller, who knows the queue."""

    def __init__(
        self,
        ledger: Ledger,
        waves: Waves,
        history: History,
        lease_seconds: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._waves = waves
        self._history = history
        self._renew_seconds = lease_seconds / RENEW_SHARE
        self._monotonic = monotonic

    def work_off(self, job_id: str, chunk: int) -> Ended:
        """Do what is left to do for a chunk, as `begin` does, to its end."""
        return self.begin(job_id, chunk)()

    def begin(self, job_id: str, chunk: int) -> Callable[[], Ended]:
        """Score a chunk and store its results; what is returned enters them into the histories and closes the chunk.

        Neither raises: a failure is counted in the ledger. When a server is gone nothing is counted: the sweep sends
        the chunk again.
        """
        try:
            claim = self._ledger.claim(job_id, chunk)
        except (RedisError, OSError) as error:
            log = structlog.get_logger().bind(job=job_id, chunk=chunk)
            log.warning("chunk_not_claimed", error=repr(error))
            return Ended
        if claim is None:
            return Ended
        found = self._guarded(claim, lambda: self._results(claim))
        if isinstance(found, Ended):
            return lambda: found
        return lambda: self._guarded(claim, lambda: self._enter(claim, *found))

    def _guarded(self, claim: Claim, step: Callable[[], T]) -> T | Ended:
        """What the step returns; where it failed, what comes of that."""
        log = structlog.get_logger().bind(job=claim.job_id, chunk=claim.chunk)
        try:
            return step()
        except FencedError:
            log.warning("chunk_taken_over")
        except (RedisError, OSError, HistoryUnavailableError) as error:
            log.warning("chunk_put_back", error=repr(error))
            self._give_back(claim, failed=False)
        except Exception:
            log.exception("chunk_failed")
            if 0 <= self._give_back(claim, failed=True) < MAX_CHUNK_FAILURES:
                return Ended(send=claim.chunk)
        return Ended()

    def _results(self, claim: Claim) -> tuple[Entering, int, int]:
        return unpacked(self._ledger.entries(claim)) if claim.stored else self._score(claim)

    def _enter(self, claim: Claim, entering: Entering, scored: int, failed: int) -> Ended:
        mark = applied_key(claim.job_id, claim.chunk)
        self._history.enter_once(mark, entering.by_did(), MAX_RUN_SECONDS)
        closed = self._ledger.close(claim, scored, failed)
        if closed is None:
            raise FencedError
        return Ended(scored, failed, closed.next_chunk)

    def _score(self, claim: Claim) -> tuple[Entering, int, int]:
        """What must enter the histories, and how many patterns have a score and how many none."""
        renewed = self._monotonic()

        def between() -> None:
            nonlocal renewed
            if self._monotonic() - renewed > self._renew_seconds:
                if not self._ledger.renew(claim):
                    raise FencedError
                renewed = self._monotonic()

        found = self._waves.score(rows_of(self._ledger.fragments(claim)), between)
        scored, failed = found.results.counts()
        entering = joined(found.entering)
        entries = packed(entering, scored, failed)
        if not self._ledger.store(claim, found.results.pages(), entries):
            raise FencedError
        return entering, scored, failed

    def _give_back(self, claim: Claim, *, failed: bool) -> int:
        try:
            return self._ledger.release(claim, failed=failed)
        except (RedisError, OSError):
            return -1  # its lease will end
