"""Scores a chunk: the first pattern of every DID in one wave, then the second, each against the history as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from worker.answers import word
from worker.comparison import compare
from worker.contract import Answer, Reason, RowError
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History
from worker.jobs.pasts import Pasts
from worker.jobs.rows import JobRow
from worker.judgement import judge
from worker.records import Pattern, pack_derived

BATCH_ROWS = 1024  # the scorer gains nothing from more, and its memory grows with them


@dataclass
class Scored:
    """What came of a chunk: answers or errors by position, and what enters the histories, oldest first."""

    answers: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many patterns have no score."""
        return sum("error_code" in answer for answer in self.answers.values())


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

    def score(self, rows: Sequence[JobRow], between: Callable[[], None]) -> Scored:
        """One answer or error for each row, which must be in order of time; `between` is called after each batch.

        Raises HistoryUnavailableError when the histories cannot be read, and whatever `between` raises.
        """
        numbers: dict[str, int] = {}
        dids: list[str | None] = []
        places: list[int] = []
        waves: list[list[int]] = []
        seen: list[int] = []
        for index, each in enumerate(rows):
            name = each.row[0]
            number = len(dids) if name is None else numbers.setdefault(name, len(dids))
            if number == len(dids):
                dids.append(name)
                seen.append(0)
            if seen[number] == len(waves):
                waves.append([])
            waves[seen[number]].append(index)
            seen[number] += 1
            places.append(number)
        rich = any(each.row[3] for each in rows)
        pasts = Pasts(self._history, dids, len(waves), rich=rich)
        scored = Scored()
        for batch in _batches(waves):
            self._batch(
                [rows[i] for i in batch], np.array([places[i] for i in batch]), pasts, scored
            )
            between()
        return scored

    def _batch(
        self, rows: list[JobRow], dids: np.ndarray[Any, Any], pasts: Pasts, scored: Scored
    ) -> None:
        model = self._model()
        scorer, rule = model.scorer, model.rule(self._rule)
        wire = [each.row for each in rows]
        typed = np.array([each.unix_seconds for each in rows], dtype=np.float64)
        # A caller chooses the times that it sends: with them it may build a history, and not get around one's quota.
        entering = np.where(pasts.stood[dids], np.maximum(typed, self._clock()), typed)
        records, counts = pasts.of(dids), pasts.counts[dids]
        comparison = compare(wire, records, counts, typed, self._history.quota, entering)
        began = time.perf_counter()
        scores = scorer.score(comparison.sessions)
        elapsed_ms = round((time.perf_counter() - began) * 1000, 2)
        named = np.array([row[0] is not None for row in wire], dtype=np.bool_)
        judgement = judge(comparison, scores, named, rule, model.point(self._point))
        answers = word(
            wire,
            comparison,
            scores,
            judgement,
            rule,
            version=scorer.model_version,
            inference_ms=elapsed_ms,
        )
        recorded = []
        derived = comparison.sessions.derived
        extras = [b""] * len(rows) if derived is None else pack_derived(derived)
        for i, (each, answer) in enumerate(zip(rows, answers, strict=True)):
            scored.answers[each.position] = _complete(each, answer)
            if answer.get("recorded"):
                recorded.append(i)
                scored.entries.append(
                    _entry(each, int(entering[i]), extras[i], founding=not counts[i])
                )
        if recorded:
            packed = [each.pattern.pack() for each in scored.entries[-len(recorded) :]]
            pasts.append(dids[recorded], packed)


def _batches(waves: list[list[int]]) -> Iterator[list[int]]:
    for wave in waves:
        for start in range(0, len(wave), BATCH_ROWS):
            yield wave[start : start + BATCH_ROWS]


def _complete(each: JobRow, answer: Answer | RowError) -> Mapping[str, Any]:
    error = answer.get("error")
    if error is not None:
        return {"error_code": error, "detail": "the worker could not score this pattern"}
    if each.abbreviated:
        cast("Answer", answer)["reasons"].insert(0, Reason.DID_ABBREVIATED)
    return answer


def _entry(each: JobRow, unix_seconds: int, extra: bytes, *, founding: bool) -> Entry:
    did_hash, (wpm, hold, transition, errors, hour) = each.row[0], each.row[1]
    pattern = Pattern(unix_seconds, (wpm, hold, transition, errors), int(hour), extra)
    return Entry(did_hash, pattern, founding)
