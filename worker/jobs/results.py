"""What came of a chunk's patterns, packed by pages of the input."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from ml.rich_evidence import MAX_HISTORY
from ml.scorer import Scores
from worker.answers import applying, steps_of
from worker.comparison import Comparison
from worker.contract import RESULTS_PER_PAGE, Reason
from worker.enrolment import EnrolmentRule
from worker.judgement import Judgement
from worker.packed import (
    COUNT,
    DECISIONS,
    LEVEL,
    REASONS,
    RESULTS_MARK,
    SOURCES,
    STEPS,
    UNSCORED,
    marked,
)

PACKED = np.dtype(  # worker.packed.RESULT and SHOWN
    [
        ("position", "<u4"),
        ("batch", "<u2"),
        ("used", "<u2"),
        ("anomaly", "<u2"),
        ("importance", "<u2", 6),
        ("confidence", "u1"),
        ("reasons", "<u2"),
        ("source", "u1"),
        ("decision", "u1"),
        ("recorded", "u1"),
    ]
)
_NONE, _SERVER, _CALLER = map(SOURCES.index, ("none", "server", "caller"))
_ABBREVIATED = 1 << REASONS.index(Reason.DID_ABBREVIATED)
_DECISION = {decision: number for number, decision in enumerate(DECISIONS)}


class Results:
    """Grows batch by batch."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.void]] = []
        self._batches: list[tuple[str, float]] = []

    def add(
        self,
        rows: NDArray[np.void],
        windowed: NDArray[np.bool_],
        comparison: Comparison,
        scores: Scores,
        judgement: Judgement,
        rule: EnrolmentRule,
        batch: tuple[str, float],
    ) -> NDArray[np.bool_]:
        """What `worker.answers.word` would say of B patterns; which of them (B,) enter their histories.

        `rows` are of `worker.jobs.rows`, `windowed` (B,) tells who sent windows, `batch` the model's version and how
        many milliseconds it took.
        """
        sound = np.isfinite(scores.anomaly) & np.isfinite(scores.importance).all(axis=1)
        used = comparison.sessions.counts
        part = np.zeros(len(rows), PACKED)
        part["position"] = rows["position"]
        part["batch"] = len(self._batches)
        part["used"] = np.minimum(used, MAX_HISTORY)
        part["anomaly"] = np.rint(np.where(sound, scores.anomaly, 0.0) * STEPS)
        part["importance"] = np.nan_to_num(steps_of(scores.importance))
        part["confidence"] = np.where(sound, judgement.confidence, UNSCORED)
        part["source"] = np.where(
            comparison.recorded > 0, _SERVER, np.where(used > 0, _CALLER, _NONE)
        )
        part["decision"] = [_DECISION[each] for each in judgement.decision]
        part["recorded"] = enters = judgement.enters & sound
        anomalous = scores.anomaly > rule.update_anomaly
        reasons = np.where(rows["named"], 0, _ABBREVIATED)
        for reason, holds in applying(windowed, comparison, judgement, anomalous):
            reasons |= np.where(holds, 1 << REASONS.index(reason), 0)
        part["reasons"] = reasons
        self._parts.append(part)
        self._batches.append(batch)
        return np.asarray(enters)

    def counts(self) -> tuple[int, int]:
        """How many patterns have a score, and how many none."""
        failed = sum(int((part["confidence"] == UNSCORED).sum()) for part in self._parts)
        return sum(map(len, self._parts)) - failed, failed

    def pages(self) -> dict[int, bytes]:
        """By page of the input, positions ascending."""
        found = np.concatenate(self._parts)
        found = found[np.argsort(found["position"])]
        page_of = found["position"] // RESULTS_PER_PAGE
        numbers, starts = np.unique(page_of, return_index=True)
        parts = zip(numbers.tolist(), np.split(found, starts[1:]), strict=True)
        return {page: self._packed(part) for page, part in parts}

    def _packed(self, part: NDArray[np.void]) -> bytes:
        batches, part["batch"] = np.unique(part["batch"], return_inverse=True)
        head = to_json([self._batches[n] for n in batches.tolist()])
        return marked(RESULTS_MARK, COUNT.pack(len(head)) + head + part.tobytes())


def error_pages(positions: Sequence[int], error: Mapping[str, Any]) -> dict[int, bytes]:
    """The same error for each of these patterns, as lines of JSON by page of the input."""
    pages: dict[int, list[bytes]] = {}
    for position in sorted(positions):
        line = to_json({"index": position, **error})
        pages.setdefault(position // RESULTS_PER_PAGE, []).append(line)
    return {page: zlib.compress(b"\n".join(lines), LEVEL) for page, lines in pages.items()}
