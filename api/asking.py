"""What one of the two scoring routes makes of a body and of the answers, whichever way the request came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from pydantic_core import to_json

from api.errors import ApiError, InternalError, error_for
from api.metrics import ApiMetrics
from api.rows import Question, Reader
from worker.contract import Answer, Reason, RowError


@dataclass(frozen=True)
class Asking:
    """`read` before the queue, `word` after it. `batch` tells a list of sessions from one."""

    path: str
    batch: bool
    reader: Reader
    metrics: ApiMetrics

    def read(self, body: bytes, now: float) -> list[Question]:
        """The questions of a body, in order. Raises InvalidInputError."""
        if self.batch:
            return self.reader.read_batch(body, now)
        return [self.reader.read_one(body, now)]

    def word(self, questions: list[Question], entries: list[Answer | RowError]) -> bytes:
        """The answer's JSON, complete with what only the front end knows. Raises the first item's error, if any."""
        if len(entries) != len(questions):
            raise InternalError
        answers = [
            self._answer(question, entry, index)
            for index, (question, entry) in enumerate(zip(questions, entries, strict=True))
        ]
        for answer in answers:
            self.metrics.observe_answer(answer)
        return to_json(answers if self.batch else answers[0])

    def _answer(self, question: Question, entry: Answer | RowError, index: int) -> Answer:
        if "error" in entry:
            raise _failure(cast("RowError", entry), index if self.batch else None)
        if question.abbreviated:
            return {**entry, "reasons": [Reason.DID_ABBREVIATED, *entry["reasons"]]}
        return entry


def _failure(entry: RowError, item: int | None) -> ApiError:
    error = error_for(entry["error"])
    if item is None:
        return error
    return type(error)(f"item {item}: {error.detail}")
