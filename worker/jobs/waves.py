"""Scores a chunk: the first pattern of every DID in one wave, then the second, each against the history as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from ml.sessions import Sessions
from worker.answers import Past, word
from worker.contract import Answer, Reason, RowError
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History, Pattern
from worker.jobs.pasts import Pasts
from worker.jobs.rows import JobRow

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
        self, model: Callable[[], HeldModel], history: History, rule: EnrolmentRule
    ) -> None:
        self._model = model
        self._history = history
        self._rule = rule

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
        pasts = Pasts(self._history, dids, len(waves))
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
        scorer, rule = model.scorer, self._rule.above(model.acceptance)
        counts = pasts.counts[dids]
        brought = {i: each.row[2] for i, each in enumerate(rows) if each.row[2] and counts[i] == 0}
        history = pasts.of(dids, max((len(each) for each in brought.values()), default=0))
        for i, patterns in brought.items():
            history[i, : len(patterns)] = [entry[1:5] for entry in patterns]
            counts[i] = len(patterns)
        current = np.array([each.row[1][:4] for each in rows], dtype=np.float64)  # (B, 4)
        began = time.perf_counter()
        scores = scorer.score(Sessions(current, history, counts))
        elapsed_ms = round((time.perf_counter() - began) * 1000, 2)
        answers = word(
            [each.row for each in rows],
            [_past(int(count), i in brought) for i, count in enumerate(counts)],
            scores,
            rule,
            version=scorer.model_version,
            inference_ms=elapsed_ms,
        )
        recorded = []
        for i, (each, answer) in enumerate(zip(rows, answers, strict=True)):
            scored.answers[each.position] = _complete(each, answer)
            if answer.get("recorded"):
                recorded.append(i)
                scored.entries.append(_entry(each, founding=not counts[i] or i in brought))
        if recorded:
            pasts.append(dids[recorded], current[recorded])


def _batches(waves: list[list[int]]) -> Iterator[list[int]]:
    for wave in waves:
        for start in range(0, len(wave), BATCH_ROWS):
            yield wave[start : start + BATCH_ROWS]


def _past(count: int, brought: bool) -> Past:
    """How many patterns a row was compared with, and whose; the words need no more."""
    nothing: tuple[float, ...] = ()
    source = "caller" if brought else "server" if count else "none"
    return Past([nothing] * count, source)


def _complete(each: JobRow, answer: Answer | RowError) -> Mapping[str, Any]:
    error = answer.get("error")
    if error is not None:
        return {"error_code": error, "detail": "the worker could not score this pattern"}
    if each.abbreviated:
        cast("Answer", answer)["reasons"].insert(0, Reason.DID_ABBREVIATED)
    return answer


def _entry(each: JobRow, *, founding: bool) -> Entry:
    did_hash, (wpm, hold, transition, errors, hour) = each.row[0], each.row[1]
    pattern = Pattern(int(each.unix_seconds), (wpm, hold, transition, errors), int(hour))
    return Entry(did_hash, pattern, founding)
