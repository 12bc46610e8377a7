"""Turns a request's body into rows of the wire, or refuses it with a sentence that says what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from api.complaint import complain, place
from api.errors import InvalidInputError
from api.identity import Identities
from api.ranges import MAX_FUTURE_SECONDS
from api.schemas import BATCH, JOB_PATTERN, PREDICT, HistoricalPattern, PredictRequest, Window

Row = list[Any]  # one row of worker.contract's message


@dataclass(frozen=True)
class Question:
    """One request as the worker sees it, and whether its DID was shortened."""

    row: Row
    abbreviated: bool


class Reader:
    """Reads bodies. Holds the key for DIDs; forgets each DID once it is hashed."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    def read_one(self, body: bytes, now: float) -> Question:
        """The question of a `/predict` body. Raises InvalidInputError."""
        try:
            request = PREDICT.validate_json(body)
        except ValidationError as error:
            raise InvalidInputError(complain(error)) from None
        return self._question(request, now, ())

    def read_batch(self, body: bytes, now: float) -> list[Question]:
        """The questions of a `/batch-predict` body, in order. Raises InvalidInputError."""
        try:
            requests = BATCH.validate_json(body)
        except ValidationError as error:
            raise InvalidInputError(complain(error, batch=True)) from None
        return [self._question(request, now, (i,)) for i, request in enumerate(requests)]

    def read_job_line(self, text: bytes, now: float) -> tuple[Question, float]:
        """The question of one pattern of a job, and when it was recorded, by default now. Raises InvalidInputError."""
        try:
            pattern = JOB_PATTERN.validate_json(text)
        except ValidationError as error:
            raise InvalidInputError(complain(error)) from None
        recorded = now if pattern.timestamp is None else pattern.timestamp
        if recorded > now + MAX_FUTURE_SECONDS:
            raise InvalidInputError("timestamp must be at most an hour ahead of now")
        return self._question(pattern, now, ()), recorded

    def _question(self, request: PredictRequest, now: float, item: tuple[int, ...]) -> Question:
        identity = self._identities.identify(request.did)
        features = request.features
        row = [
            identity.did_hash,
            [*_numbers(features), features.activity_hour_preference],
            _history(request.historical_patterns, now, item),
            [_numbers(window) for window in features.session_features or ()] or None,
        ]
        return Question(row, identity.abbreviated)


def _numbers(pattern: Window) -> list[float]:
    return [
        pattern.typing_speed_wpm,
        pattern.avg_key_hold_time_ms,
        pattern.avg_transition_time_ms,
        pattern.error_rate_percent,
    ]


def _history(
    patterns: list[HistoricalPattern] | None, now: float, item: tuple[int, ...]
) -> list[list[float]] | None:
    """The caller's patterns, newest first, or None where there are none."""
    if not patterns:
        return None
    first_at: dict[float, int] = {}
    for index, pattern in enumerate(patterns):
        if pattern.timestamp > now + MAX_FUTURE_SECONDS:
            raise _wrong_time(item, index, pattern, "must be at most an hour ahead of now")
        earlier = first_at.setdefault(pattern.timestamp, index)
        if earlier != index:
            why = f"must differ from that of historical_patterns[{earlier}]"
            raise _wrong_time(item, index, pattern, why)
    newest_first = sorted(patterns, key=lambda pattern: pattern.timestamp, reverse=True)
    return [[pattern.timestamp, *_numbers(pattern)] for pattern in newest_first]


def _wrong_time(
    item: tuple[int, ...], index: int, pattern: HistoricalPattern, why: str
) -> InvalidInputError:
    where = place((*item, "historical_patterns", index, "timestamp"), batch=bool(item))
    return InvalidInputError(f"{where} {why} (got {pattern.timestamp:.15g}, in Unix seconds)")
