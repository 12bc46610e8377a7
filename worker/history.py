"""What Redis keeps of each DID: its last accepted patterns, newest first, one short list of records per DID.

A record is 22 bytes: format (u8), unix seconds (u32), four float32 (wpm, hold ms, transition ms, error percent) and the
hour (u8), little-endian; 50 of them are 1.1 KB. Keys carry the keyed hash of the DID, never the DID.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from redis import Redis
from redis.exceptions import RedisError

from worker.contract import HISTORY_KEY, history_key

FORMAT = 1
_RECORD = struct.Struct("<BIffffB")
SECONDS_A_DAY = 86_400
SCAN_COUNT = 500


class HistoryUnavailableError(Exception):
    """Raised when the histories cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One session's summary: `unix_seconds`, four features (wpm, ms, ms, percent), hour of the day 0-23."""

    unix_seconds: int
    features: tuple[float, float, float, float]
    hour: int = 0

    def pack(self) -> bytes:
        """The record that Redis keeps."""
        return _RECORD.pack(FORMAT, self.unix_seconds, *self.features, self.hour)

    @classmethod
    def unpack(cls, record: bytes) -> Pattern | None:
        """The pattern of a record, None for a format that this release does not know."""
        if len(record) != _RECORD.size or record[0] != FORMAT:
            return None
        _, seconds, wpm, hold, transition, errors, hour = _RECORD.unpack(record)
        return cls(seconds, (wpm, hold, transition, errors), hour)


class History:
    """Reads and writes the histories; one round trip for any number of DIDs."""

    def __init__(self, redis: Redis, length: int, days: int) -> None:
        self._redis = redis
        self._length = length
        self._expiry_seconds = days * SECONDS_A_DAY

    def read(self, did_hashes: Sequence[str]) -> list[list[Pattern]]:
        """The patterns of each DID, newest first; an empty list for an unknown one.

        Raises HistoryUnavailableError.
        """
        if not did_hashes:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for did_hash in did_hashes:
            pipeline.lrange(history_key(did_hash), 0, self._length - 1)
        try:
            stored = pipeline.execute()
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be read") from error
        return [_patterns(records) for records in stored]

    def append(self, entries: Sequence[tuple[str, Pattern]]) -> None:
        """Enter each pattern as its DID's newest, cut to length, and begin its expiry anew.

        Raises HistoryUnavailableError.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for did_hash, pattern in entries:
            key = history_key(did_hash)
            pipeline.lpush(key, pattern.pack())
            pipeline.ltrim(key, 0, self._length - 1)
            pipeline.expire(key, self._expiry_seconds)
        try:
            pipeline.execute()
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be written") from error

    def everyone(self) -> Iterator[list[Pattern]]:
        """Every DID's patterns, newest first, in no order and without names. Raises HistoryUnavailableError."""
        batch: list[bytes] = []
        try:
            for key in self._redis.scan_iter(match=HISTORY_KEY % "*", count=SCAN_COUNT):
                batch.append(key)
                if len(batch) == SCAN_COUNT:
                    yield from self._fetch(batch)
                    batch = []
            yield from self._fetch(batch)
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be read") from error

    def _fetch(self, keys: list[bytes]) -> Iterator[list[Pattern]]:
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.lrange(key, 0, self._length - 1)
        for records in pipeline.execute() if keys else []:
            yield _patterns(records)


def _patterns(records: list[bytes]) -> list[Pattern]:
    found = (Pattern.unpack(record) for record in records)
    return [pattern for pattern in found if pattern is not None]
