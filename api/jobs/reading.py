"""From the items of a job's body to patterns, many at once where they are plain."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from pydantic import ValidationError

from api.identity import Identities
from api.jobs.draft import Pattern
from api.ranges import MAX_FUTURE_SECONDS
from api.rows import Reader
from api.schemas import JOB_PATTERNS, JobPattern

_NUMBERS: Final = attrgetter(
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
    "activity_hour_preference",
)


class JobReader:
    """Checks items. Forgets each DID once it is hashed."""

    def __init__(self, reader: Reader, identities: Identities) -> None:
        self._reader = reader
        self._identities = identities

    def one(self, text: bytes, now: float) -> Pattern:
        """The pattern of one item. Raises InvalidInputError."""
        row, recorded = self._reader.read_job_line(text, now)
        did_hash, numbers, history, windows = row
        return Pattern(
            None if did_hash is None else bytes.fromhex(did_hash),
            numbers,
            recorded,
            (history, windows) if history or windows else None,
        )

    def plain(self, texts: Sequence[bytes], now: float) -> list[Pattern] | None:
        """The patterns of items without history and windows; None where `one` must look at each.

        Checked as one list, which takes half as long. No item has a bracket and each begins with a brace. A comma
        between two is then followed by a brace and a line break, which no object and no string can hold: it parts two
        elements of the list. So there are as many elements as items only where each item is one.
        """
        joined = b",\n".join(texts)
        if b"[" in joined or joined[:1] != b"{" or joined.count(b",\n{") != len(texts) - 1:
            return None
        try:
            found = JOB_PATTERNS.validate_json(b"[%b]" % joined)
        except ValidationError:
            return None
        latest = now + MAX_FUTURE_SECONDS
        if len(found) != len(texts) or any((each.timestamp or 0) > latest for each in found):
            return None
        return [self._pattern(each, now) for each in found]

    def _pattern(self, found: JobPattern, now: float) -> Pattern:
        seconds = found.timestamp
        return Pattern(
            self._identities.digest(found.did),
            _NUMBERS(found.features),
            now if seconds is None else seconds,
        )
