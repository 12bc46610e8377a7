"""Turns a request's body into rows of the wire, or refuses it with a sentence that says what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from api.complaint import complain, place
from api.errors import InvalidInputError
from api.identity import Identities
from api.ranges import MAX_FUTURE_SECONDS
from api.schemas import (
    BATCH,
    JOB_PATTERN,
    MAX_BATCH,
    MAX_BATCH_WINDOWS,
    MAX_PATTERN_WINDOWS,
    PLAIN,
    PLAIN_BATCH,
    PREDICT,
    HistoricalPattern,
    Numbers,
    PlainRequest,
    PredictRequest,
    Window,
)
from api.turns import Step, Turns
from api.windows import CountsError, UncountedError, flat

Row = list[Any]  # one row of worker.contract's message
Place = tuple[int | str, ...]


class Reader:
    """Reads bodies. Holds the key for DIDs; forgets each DID once it is hashed."""

    def __init__(self, identities: Identities, turns: Turns | None = None) -> None:
        self._identities = identities
        self._turns = turns or Turns()

    def read_one(self, body: bytes, now: float) -> Row:
        """The row of a `/predict` body. Raises InvalidInputError."""
        if _may_be_plain(body):
            with suppress(ValidationError):
                return self._plain(PLAIN.validate_json(body))
        try:
            request = PREDICT.validate_json(body)
        except ValidationError as error:
            raise InvalidInputError(complain(error)) from None
        _bound_windows([request], MAX_PATTERN_WINDOWS)
        return self._row(request, now, ())

    def read_batch(self, body: bytes, now: float) -> list[Row]:
        """The rows of a `/batch-predict` body, in order. Raises InvalidInputError."""
        if _may_be_plain(body):
            with suppress(ValidationError):
                return [*map(self._plain, PLAIN_BATCH.validate_json(body))]
        requests = _requests(body)
        _bound_windows(requests, MAX_BATCH_WINDOWS)
        return [self._row(request, now, (i,)) for i, request in enumerate(requests)]

    async def read_large_batch(self, body: bytes, now: float) -> list[Row]:
        """As `read_batch`, with turns for everybody else after the parsing and between the items.

        One at a time: what a parsed body takes in memory is many times its length. Raises OverloadedError, too, where
        too many came before.
        """
        async with self._turns.mine() as step:
            requests = await self._requests(body, step)
            _bound_windows(requests, MAX_BATCH_WINDOWS)
            rows = []
            for i, request in enumerate(requests):
                await step()
                rows.append(self._row(request, now, (i,)))
            return rows

    async def _requests(self, body: bytes, step: Step) -> list[PredictRequest]:
        try:
            items = from_json(body)
        except ValueError:
            items = None
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_BATCH:
            return _requests(body)  # which tells what is wrong
        requests = []
        for i, item in enumerate(items):
            await step()
            try:
                requests.append(PREDICT.validate_python(item))
            except ValidationError as error:
                raise InvalidInputError(complain(error, batch=True, within=(i,))) from None
            items[i] = None  # not kept beside what it became
        return requests

    def read_job_line(self, text: bytes, now: float) -> tuple[Row, float]:
        """The row of one pattern of a job, and when it was recorded, by default now. Raises InvalidInputError."""
        try:
            pattern = JOB_PATTERN.validate_json(text)
        except ValidationError as error:
            raise InvalidInputError(complain(error)) from None
        recorded = now if pattern.timestamp is None else pattern.timestamp
        if recorded > now + MAX_FUTURE_SECONDS:
            raise InvalidInputError("timestamp must be at most an hour ahead of now")
        _bound_windows([pattern], MAX_PATTERN_WINDOWS)
        return self._row(pattern, now, ()), recorded

    def _plain(self, request: PlainRequest) -> Row:
        # The schema's order, whatever the body's, is the wire's.
        numbers = [*request["features"].values()]
        return [self._identities.identify(request["did"]), numbers, None, None]

    def _row(self, request: PredictRequest, now: float, item: Place) -> Row:
        features = request.features
        return [
            self._identities.identify(request.did),
            [*_numbers(features), features.activity_hour_preference],
            _history(request.historical_patterns, now, item),
            _windows(features.session_features, (*item, "features")),
        ]


def _requests(body: bytes) -> list[PredictRequest]:
    try:
        return BATCH.validate_json(body)
    except ValidationError as error:
        raise InvalidInputError(complain(error, batch=True)) from None


def _may_be_plain(body: bytes) -> bool:
    """False where the schema of plain requests would be asked in vain."""
    return b'"session_features"' not in body and b'"historical_patterns"' not in body


def _bound_windows(requests: Sequence[PredictRequest], most: int) -> None:
    windows = 0
    for request in requests:
        for session in (request.features, *(request.historical_patterns or ())):
            windows += len(session.session_features or ())
    if windows > most:
        raise InvalidInputError(
            f"session_features must have at most {most:,} windows in all sessions of one request together"
            f" (got {windows:,}); send fewer patterns at once, or the newest of historical_patterns"
        )


def _numbers(pattern: Numbers) -> list[float]:
    return [
        pattern.typing_speed_wpm,
        pattern.avg_key_hold_time_ms,
        pattern.avg_transition_time_ms,
        pattern.error_rate_percent,
    ]


def _windows(windows: list[Window] | None, at: Place) -> list[list[float | None]] | None:
    """A session's windows as the wire has them, or None where there are none."""
    if not windows:
        return None
    return [_window(window, (*at, "session_features", i)) for i, window in enumerate(windows)]


def _window(window: Window, at: Place) -> list[float | None]:
    given = (window.version is None, window.statistics is None, window.counts is None)
    if all(given):
        return [*_numbers(window)]
    if any(given):
        raise InvalidInputError(
            f"{_where(at)} must have version, statistics and counts, all three or none of them"
        )
    try:
        return flat(_numbers(window), window.statistics or {}, window.counts or {})
    except (UncountedError, CountsError) as error:
        raise InvalidInputError(f"{_where(at)}.{error}") from None


def _history(
    patterns: list[HistoricalPattern] | None, now: float, item: Place
) -> list[list[Any]] | None:
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
    found = [
        [
            pattern.timestamp,
            *_numbers(pattern),
            _windows(pattern.session_features, (*item, "historical_patterns", index)),
        ]
        for index, pattern in enumerate(patterns)
    ]
    found.sort(key=itemgetter(0), reverse=True)
    return found


def _where(at: Place) -> str:
    """A place of the body in words; one that begins with a number lies in a batch."""
    return place(at, batch=isinstance(at[0], int))


def _wrong_time(item: Place, index: int, pattern: HistoricalPattern, why: str) -> InvalidInputError:
    where = _where((*item, "historical_patterns", index, "timestamp"))
    return InvalidInputError(f"{where} {why} (got {pattern.timestamp:.15g}, in Unix seconds)")
