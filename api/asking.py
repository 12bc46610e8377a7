"""What one of the two scoring routes makes of a body and of the answers, whichever way the request came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from pydantic_core import to_json

from api.errors import ApiError, InternalError, error_for
from api.metrics import ApiMetrics
from api.reply import Reply
from api.rows import Reader, Row
from worker.contract import Answer, Reason

LARGE_BYTES: Final = 256 * 1024  # read in 3 to 6 ms; the fullest batch has 4 MB


@dataclass(frozen=True)
class Asking:
    """`read` before the queue, `word` after it. `batch` tells a list of sessions from one."""

    path: str
    batch: bool
    reader: Reader
    metrics: ApiMetrics

    def read(self, body: bytes, now: float) -> list[Row]:
        """The rows of a body, in order. Raises InvalidInputError."""
        if self.batch:
            return self.reader.read_batch(body, now)
        return [self.reader.read_one(body, now)]

    async def read_in_turns(self, body: bytes, now: float) -> list[Row]:
        """The same; a body that would keep everybody else waiting is read bit by bit.

        Raises InvalidInputError, and OverloadedError where too many such wait.
        """
        if self.batch and len(body) > LARGE_BYTES:
            return await self.reader.read_large_batch(body, now)
        return self.read(body, now)

    def word(self, rows: list[Row], reply: Reply) -> bytes:
        """The answer's JSON, complete with what only the front end knows. Raises the first item's error, if any."""
        if len(reply) != len(rows):
            raise InternalError
        if reply.error is not None:
            raise self._failure(*reply.error)
        self.metrics.observe_answers(reply)
        abbreviated = [i for i, row in enumerate(rows) if row[0] is None]
        text = _told(reply, abbreviated) if abbreviated else reply.text()
        return b"[%b]" % text if self.batch else text

    def _failure(self, item: int, code: str) -> ApiError:
        error = error_for(code)
        return type(error)(f"item {item}: {error.detail}") if self.batch else error


def _told(reply: Reply, abbreviated: list[int]) -> bytes:
    """The answers' JSON, in which those to shortened DIDs say so."""
    answers = cast("list[Answer]", [*reply])
    for i in abbreviated:
        answers[i]["reasons"].insert(0, Reason.DID_ABBREVIATED)
    return to_json(answers)[1:-1]
