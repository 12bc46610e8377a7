"""Whole refusals, ready to be sent: in a flood most answers are the same few bytes."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.errors import ApiError
from api.refusal import header_lines, written

Headers = list[tuple[bytes, bytes]]

KEPT: Final = 64


class TurnedAway:
    """Answers kept while the server's own headers, which say the date, are the same object."""

    def __init__(self) -> None:
        self._own_headers: Headers = []
        self._answers: dict[tuple[str, str], bytes] = {}

    def answer(self, error: ApiError, path: str, own_headers: Headers) -> bytes:
        """All bytes of the refusal of a request that keeps its connection."""
        if own_headers is not self._own_headers or len(self._answers) >= KEPT:
            self._own_headers, self._answers = own_headers, {}
        answer = self._answers.get((error.detail, path))
        if answer is None:
            answer = self._answers[error.detail, path] = _whole(error, path, own_headers)
        return answer


def _whole(error: ApiError, path: str, own_headers: Headers) -> bytes:
    head, body = written(error, path)
    return b"%b%b%b\r\n%b" % (STATUS_LINE[error.status], header_lines(own_headers), head, body)
