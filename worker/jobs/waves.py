"""Scores a chunk: the first pattern of every DID in one wave, then the second, each against the history as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.comparison import Typed, beside
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import History
from worker.jobs.entries import Entering, records_of
from worker.jobs.pasts import Pasts
from worker.jobs.results import Results
from worker.jobs.rows import JobRows
from worker.judgement import judge

BATCH_ROWS = 1024  # the scorer gains nothing from more, and its memory grows with them


@dataclass
class Scored:
    """What came of a chunk: its results, and what enters the histories, each DID's oldest first."""

    results: Results = field(default_factory=Results)
    entering: list[Entering] = field(default_factory=list)


class Waves:
    """Scores rows as if each had been sent alone, in order of time."""

    def __init__(
        self,
        model: Callable[[], HeldModel],
        history: History,
        rule: EnrolmentRule,
        *,
        point: str = "balanced",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._model = model
        self._history = history
        self._rule = rule
        self._point = point
        self._clock = clock

    def score(self, rows: JobRows, between: Callable[[], None]) -> Scored:
        """A result for each row, which must be in order of time; `between` is called after each batch.

        Raises HistoryUnavailableError when the histories cannot be read, and whatever `between` raises.
        """
        places, hashes = _persons(rows)
        turns = _turns(places)
        longest = int(turns.max(initial=0)) + 1
        pasts = Pasts(self._history, hashes, longest, rich=rows.windowed)
        scored = Scored()
        for batch in _batches(turns):
            self._batch(rows, batch, places[batch], pasts, scored)
            between()
        return scored

    def _batch(
        self,
        rows: JobRows,
        batch: NDArray[np.int64],
        dids: NDArray[np.int64],
        pasts: Pasts,
        scored: Scored,
    ) -> None:
        model = self._model()
        scorer, rule = model.scorer, model.rule(self._rule)
        packed = rows.packed[batch]
        seconds = packed["seconds"]
        # A caller chooses the times that it sends: with them it may build a history, and not get around one's quota.
        entering = np.where(pasts.stood[dids], np.maximum(seconds, self._clock()), seconds)
        records, counts = pasts.of(dids), pasts.counts[dids]
        typed, windowed = _typed(rows, batch, packed["numbers"][:, :4])
        comparison = beside(typed, records, counts, seconds, self._history.quota, entering)
        began = time.perf_counter()
        scores = scorer.score(comparison.sessions)
        elapsed_ms = round((time.perf_counter() - began) * 1000, 2)
        judgement = judge(comparison, scores, packed["named"], rule, model.point(self._point))
        enters = scored.results.add(
            packed,
            windowed,
            comparison,
            scores,
            judgement,
            rule,
            (scorer.model_version, elapsed_ms),
        )
        if enters.any():
            derived = comparison.sessions.derived
            new = records_of(
                packed["numbers"][enters],
                entering[enters],
                None if derived is None else derived[enters],
                pasts.dtype,
            )
            scored.entering.append(Entering(packed["did"][enters], counts[enters] == 0, new))
            pasts.append(dids[enters], new)


def _persons(rows: JobRows) -> tuple[NDArray[np.int64], list[str | None]]:
    """Each row's number (N,) among the DIDs, and their hashes; a row without one is a DID of its own."""
    packed = rows.packed
    named = np.flatnonzero(packed["named"])
    dids = packed["did"][named]  # (M, 2)
    order = np.lexsort((dids[:, 1], dids[:, 0]))
    begins = np.ones(len(named), dtype=np.bool_)
    begins[1:] = (dids[order[1:]] != dids[order[:-1]]).any(axis=1)
    hashes: list[str | None] = [each.tobytes().hex() for each in dids[order[begins]]]
    places = np.empty(len(rows), dtype=np.int64)
    places[named[order]] = np.cumsum(begins) - 1
    nameless = np.flatnonzero(~packed["named"])
    places[nameless] = len(hashes) + np.arange(len(nameless))
    return places, hashes + [None] * len(nameless)


def _turns(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows of the same place stand before each row (N,)."""
    order = np.argsort(places, kind="stable")
    counts = np.bincount(places)
    turns = np.empty_like(places)
    turns[order] = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
    return turns


def _batches(turns: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """The rows of each wave, some at a time, in order of time."""
    order = np.argsort(turns, kind="stable")
    for wave in np.split(order, np.cumsum(np.bincount(turns))[:-1]):
        for start in range(0, len(wave), BATCH_ROWS):
            yield wave[start : start + BATCH_ROWS]


def _typed(
    rows: JobRows, batch: NDArray[np.int64], numbers: NDArray[np.float64]
) -> tuple[Typed, NDArray[np.bool_]]:
    """The rows of a batch as they are compared, and which of them have windows (B,)."""
    windowed = np.zeros(len(batch), dtype=np.bool_)
    if not rows.more:
        return Typed(numbers), windowed
    found = [rows.more.get(number, (None, None)) for number in batch.tolist()]
    windowed[:] = [bool(windows) for _, windows in found]
    brought = [(i, history) for i, (history, _) in enumerate(found) if history]
    return Typed(numbers, brought, [windows for _, windows in found]), windowed
