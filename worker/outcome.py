"""What came of one scoring message."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from worker.contract import Answer, Reason, RowError
from worker.history import Entry


@dataclass(frozen=True)
class Outcome:
    """The reply for the queue, and what is written and counted after it has left."""

    reply: dict[str, Any]
    entries: list[Entry]
    inference_ms: float = 0.0

    @cached_property
    def answers(self) -> list[Answer]:
        """The rows that were scored."""
        return [row for row in self.reply["rows"] if "error" not in row]

    @cached_property
    def errors(self) -> list[RowError]:
        """The rows that were not."""
        return [row for row in self.reply["rows"] if "error" in row]

    @property
    def decisions(self) -> Counter[str]:
        """How many scored rows got each decision."""
        return Counter(answer["decision"] for answer in self.answers)

    @cached_property
    def reasons(self) -> Counter[str]:
        """How many scored rows got each reason."""
        return Counter(reason for answer in self.answers for reason in answer["reasons"])

    @property
    def anomalies(self) -> int:
        """How many scored rows are flagged as anomalous."""
        return self.reasons[Reason.ANOMALOUS]
