"""The answers of one message as bytes, and in columns what is looked at once they are words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TypeVar

from pydantic_core import to_json

from worker.contract import Columns, ErrorCode

T = TypeVar("T")


@dataclass(slots=True)
class Worded:
    """B answers. `rows`: the JSON of each, an `Answer` or a `RowError`; `errors`: the places and codes of the latter.

    The others have a value for each row, which means nothing where `errors` has the row, and is 0 in a list of numbers.
    """

    rows: Sequence[bytes]
    confidence: list[int]
    anomaly: list[float]
    anomalous: list[int]
    inference_ms: float = 0.0
    errors: Mapping[int, str] = field(default_factory=dict)
    decision: Sequence[str] = ()
    reasons: Sequence[tuple[str, ...]] = ()

    @property
    def scored(self) -> int:
        """How many rows have a score."""
        return len(self.rows) - len(self.errors)

    def decisions(self) -> Counter[str]:
        """How many scored rows got each."""
        return Counter(self._scored(self.decision))

    def told(self) -> Counter[str]:
        """How many scored rows got each reason."""
        found: Counter[str] = Counter()
        for together, times in Counter(self._scored(self.reasons)).items():
            found.update(dict.fromkeys(together, times))
        return found

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

    def _scored(self, values: Sequence[T]) -> Sequence[T]:
        if not self.errors:
            return values
        return [value for i, value in enumerate(values) if i not in self.errors]


def failed(rows: int, code: ErrorCode) -> Worded:
    """The same error for every row."""
    nothing = [0] * rows
    worded = [to_json({"error": code})] * rows
    return Worded(worded, nothing, [0.0] * rows, nothing, 0.0, dict.fromkeys(range(rows), code))
