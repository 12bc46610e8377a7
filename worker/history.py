"""What Redis keeps of each DID: its last accepted patterns, newest first, one short list of records per DID.

A record is 22 bytes: format (u8), unix seconds (u32), four float32 (wpm, hold ms, transition ms, error percent) and the
hour (u8), little-endian; 50 of them are 1.1 KB. Keys carry the keyed hash of the DID, never the DID.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from worker.contract import HISTORY_KEY, REPEAT_SECONDS, asked_key, history_key

FORMAT = 1
_RECORD = struct.Struct("<BIffffB")
RECORD_BYTES = _RECORD.size
SECONDS_A_DAY = 86_400
SCAN_COUNT = 500
SPARE = 8  # patterns kept beyond the length, so that what was normal before a repeated question is still whole

# KEYS: a history; for a question of the chain, what it entered. ARGV: founding, record, length, expiry, and for how
# many seconds a question is the same one.
_APPEND = """
if ARGV[1] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if KEYS[2] and not redis.call('SET', KEYS[2], ARGV[2], 'NX', 'EX', ARGV[5]) then return 0 end
redis.call('LPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], 0, ARGV[3] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

# Of each entry: "1" where it founds a history and "0" where not, and the record.
_ENTER_ONCE = """
if not redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then return 0 end
for i = 2, #KEYS do
  local entry = ARGV[i + 2]
  local kind = redis.call('TYPE', KEYS[i])['ok']
  local history = kind == 'list' or kind == 'none'  -- what is neither belongs to nobody else's entries
  if history and (string.sub(entry, 1, 1) == '0' or redis.call('EXISTS', KEYS[i]) == 0) then
    redis.call('LPUSH', KEYS[i], string.sub(entry, 2))
    redis.call('LTRIM', KEYS[i], 0, ARGV[2] - 1)
    redis.call('EXPIRE', KEYS[i], ARGV[3])
  end
end
return 1
"""


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
        """The pattern of a record, None for what this release would not have written."""
        if len(record) != _RECORD.size or record[0] != FORMAT:
            return None
        _, seconds, wpm, hold, transition, errors, hour = _RECORD.unpack(record)
        if not all(map(math.isfinite, (wpm, hold, transition, errors))):
            return None
        return cls(seconds, (wpm, hold, transition, errors), hour)


@dataclass(frozen=True, slots=True)
class Entry:
    """One pattern for one DID's history; `founding` where the DID had none when the pattern was judged.

    `question` tells the chain's question that the pattern answers, in hex, if it answers one.
    """

    did_hash: str
    pattern: Pattern
    founding: bool = False
    question: str = ""


class History:
    """Reads and writes the histories; one round trip for any number of DIDs."""

    def __init__(self, redis: Redis, length: int, days: int) -> None:
        self._redis = redis
        self.length = length
        self._expiry_seconds = days * SECONDS_A_DAY
        self._enter = redis.register_script(_ENTER_ONCE)

    def read(self, did_hashes: Sequence[str], *, spare: int = 0) -> list[list[Pattern]]:
        """The patterns of each DID, newest first; an empty list for an unknown one.

        Up to `length` of them, and `spare` more (at most SPARE). Raises HistoryUnavailableError.
        """
        return [_patterns(records) for records in self.records(did_hashes, spare)]

    def records(self, did_hashes: Sequence[str], spare: int = 0) -> list[list[bytes]]:
        """The same as records, which may hold what `Pattern.unpack` leaves out. Raises HistoryUnavailableError."""
        if not did_hashes:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for did_hash in did_hashes:
            pipeline.lrange(history_key(did_hash), 0, self.length + spare - 1)
        try:
            stored = pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be read") from error
        return [_readable(records) for records in stored]

    def entered(self, questions: Sequence[tuple[str, str]]) -> list[Pattern | None]:
        """What each question (DID's hash, question) entered within the hour, if anything.

        Raises HistoryUnavailableError.
        """
        if not questions:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for did_hash, question in questions:
            pipeline.get(asked_key(did_hash, question))
        try:
            stored = pipeline.execute()
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be read") from error
        return [None if record is None else Pattern.unpack(record) for record in stored]

    def append(self, entries: Sequence[Entry]) -> None:
        """Enter each pattern as its DID's newest, cut to length, and begin its expiry anew.

        A founding pattern enters only where there is no history yet: two workers may have judged two of them at once.
        A pattern whose question entered within the hour before does not enter again.
        Raises HistoryUnavailableError.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for entry in entries:
            keys = [history_key(entry.did_hash)]
            if entry.question:
                keys.append(asked_key(entry.did_hash, entry.question))
            limits = (self.length + SPARE, self._expiry_seconds, REPEAT_SECONDS)
            founding, record = int(entry.founding), entry.pattern.pack()
            pipeline.eval(_APPEND, len(keys), *keys, founding, record, *limits)
        try:
            pipeline.execute()
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be written") from error

    def enter_once(self, mark: str, entries: Sequence[Entry], remember_seconds: int) -> bool:
        """Append all entries as `append` does, the oldest first, and leave `mark`, in one step.

        False if the mark was there already. The step takes keys of many DIDs, so it needs one server and no cluster.
        Raises HistoryUnavailableError.
        """
        names = [mark, *(history_key(entry.did_hash) for entry in entries)]
        bounds = [remember_seconds, self.length + SPARE, self._expiry_seconds]
        records = [b"%d%b" % (entry.founding, entry.pattern.pack()) for entry in entries]
        try:
            return bool(self._enter(names, [*bounds, *records]))
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be written") from error

    def everyone(self) -> Iterator[tuple[str, list[Pattern]]]:
        """Every DID's hash and patterns, newest first, in no order. Raises HistoryUnavailableError."""
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

    def _fetch(self, keys: list[bytes]) -> Iterator[tuple[str, list[Pattern]]]:
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.lrange(key, 0, self.length - 1)
        stored = pipeline.execute(raise_on_error=False) if keys else []
        for key, records in zip(keys, stored, strict=True):
            yield key.decode().split("{")[1].rstrip("}"), _patterns(_readable(records))


def _readable(records: list[bytes] | Exception) -> list[bytes]:
    """The records of one key; a key that holds something else is no history, and harms nobody but its DID."""
    if isinstance(records, RedisConnectionError | RedisTimeoutError):
        raise HistoryUnavailableError("the histories cannot be read") from records
    if isinstance(records, Exception):
        structlog.get_logger().error("history_unreadable", error=repr(records))
        return []
    return records


def _patterns(records: list[bytes]) -> list[Pattern]:
    found = (Pattern.unpack(record) for record in records)
    return [pattern for pattern in found if pattern is not None]
