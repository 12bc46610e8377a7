"""What came of one scoring message."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from worker.contract import RESULT_COLUMNS, RESULT_HEAD
from worker.history import Entry
from worker.worded import Worded

_ROWS = RESULT_HEAD.removeprefix(b'{"result":')


@dataclass(frozen=True)
class Outcome:
    """The answers, what else the reply tells, and what is written and counted after it has left."""

    worded: Worded
    reply: dict[str, Any]  # but for its rows and columns
    entries: list[Entry] = field(default_factory=list)

    def text(self) -> bytes:
        """The whole reply's JSON, in the form that front ends need not parse."""
        rows, columns = b",".join(self.worded.rows), to_json(self.worded.columns())
        return b"%b%b%b%b,%b" % (_ROWS, rows, RESULT_COLUMNS, columns, to_json(self.reply)[1:])

    def plain(self) -> dict[str, Any]:
        """The whole reply as Celery takes it."""
        found: dict[str, Any] = from_json(self.text())
        return found

    @property
    def scored(self) -> int:
        """How many rows have a score."""
        return self.worded.scored

    @property
    def errors(self) -> Counter[str]:
        """How many rows got each code instead of a score."""
        return Counter(self.worded.errors.values())

    @property
    def anomalies(self) -> int:
        """How many scored rows are flagged as anomalous."""
        return sum(self.worded.anomalous)
