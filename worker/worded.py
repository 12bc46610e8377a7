"""The answers of one message as bytes, and in columns what is looked at once they are words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from pydantic_core import to_json

from worker.contract import Columns, ErrorCode


@dataclass(frozen=True)
class Worded:
    """B answers. `rows`: the JSON of each, an `Answer` or a `RowError`; `errors`: the places and codes of the latter.

    `decisions`, `reasons`: how many scored rows got each. The lists have a value for each row, 0 for an error's.
    """

    rows: Sequence[bytes]
    confidence: list[int]
    anomaly: list[float]
    anomalous: list[int]
    inference_ms: float = 0.0
    errors: Mapping[int, str] = field(default_factory=dict)
    decisions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def scored(self) -> int:
        """How many rows have a score."""
        return len(self.rows) - len(self.errors)

    def columns(self) -> Columns:
        """What goes beside the rows on the wire."""
        return {
            "ends": [end + i for i, end in enumerate(accumulate(map(len, self.rows)))],
            "confidence": self.confidence,
            "anomaly": self.anomaly,
            "anomalous": self.anomalous,
            "inference_ms": self.inference_ms,
            "errors": sorted(self.errors.items()),
        }


def failed(rows: int, code: ErrorCode) -> Worded:
    """The same error for every row."""
    nothing = [0] * rows
    worded = [to_json({"error": code})] * rows
    return Worded(worded, nothing, [0.0] * rows, nothing, 0.0, dict.fromkeys(range(rows), code))
