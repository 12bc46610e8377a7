"""What Redis keeps of each DID: its last accepted patterns, newest first, one short list of records per DID.

`worker.records` tells what a record is: 50 patterns of four numbers are 1.1 KB, 50 rich ones 5.7 KB. Keys carry the
keyed hash of the DID, never the DID.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from worker.contract import HISTORY_KEY, REPEAT_SECONDS, asked_key, history_key
from worker.history_scripts import APPEND, ENTER_ONCE
from worker.kept_connection import Asked, Command, KeptConnection
from worker.records import Pattern

SECONDS_A_DAY = 86_400
SCAN_COUNT = 500
_APPEND_DIGEST = hashlib.sha1(APPEND.encode(), usedforsecurity=False).hexdigest()
SPARE = 8  # patterns kept beyond the length, so that what was normal before a repeated question is still whole


class HistoryUnavailableError(Exception):
    """Raised when the histories cannot be read or written."""


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
    """Reads and writes the histories; one round trip for any number of DIDs.

    `length` patterns of a DID are kept, for `days`. At most `quota` of them lie within 24 hours, 0 for any number.
    """

    def __init__(self, redis: Redis, length: int, days: int, quota: int = 0) -> None:
        self._redis = redis
        self.length = length
        self.quota = min(quota, length)
        self._expiry_seconds = days * SECONDS_A_DAY
        self._enter = redis.register_script(ENTER_ONCE)
        self._kept = KeptConnection(redis)

    def read(self, did_hashes: Sequence[str], *, spare: int = 0) -> list[list[Pattern]]:
        """The patterns of each DID, newest first; an empty list for an unknown one.

        Up to `length` of them, and `spare` more (at most SPARE). Raises HistoryUnavailableError.
        """
        return [_patterns(records) for records in self.records(did_hashes, spare)]

    def records(self, did_hashes: Sequence[str], spare: int = 0) -> list[list[bytes]]:
        """The same as records, which may hold what `Pattern.unpack` leaves out. Raises HistoryUnavailableError."""
        return self.records_of(self.ask(did_hashes, spare))

    def ask(self, did_hashes: Sequence[str], spare: int = 0) -> Asked | None:
        """Have the server send what `records` returns; waits for nothing. None where nobody is asked for."""
        if not did_hashes:
            return None
        last = self.length + spare - 1
        return self._kept.ask(
            [("LRANGE", history_key(did_hash), 0, last) for did_hash in did_hashes]
        )

    def records_of(self, asked: Asked | None) -> list[list[bytes]]:
        """The records that were asked for. Raises HistoryUnavailableError."""
        if asked is None:
            return []
        try:
            stored = self._kept.answers(asked)
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be read") from error
        return [_readable(records) for records in stored]

    def entered(self, questions: Sequence[tuple[str, str]]) -> list[bytes | None]:
        """The record of what each question (DID's hash, question) entered within the hour, if anything.

        Raises HistoryUnavailableError.
        """
        if not questions:
            return []
        pipeline = self._redis.pipeline(transaction=False)
        for did_hash, question in questions:
            pipeline.get(asked_key(did_hash, question))
        try:
            stored: list[bytes | None] = pipeline.execute()
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be read") from error
        return stored

    def append(self, entries: Sequence[Entry]) -> int:
        """As `enter` and `entered_of`, one after the other."""
        return self.entered_of(self.enter(entries))

    def enter(self, entries: Sequence[Entry]) -> Asked:
        """Enter each pattern as its DID's newest, cut to length, and begin its expiry anew; waits for nothing.

        A founding pattern enters only where there is no history yet: two workers may have judged two of them at once.
        For the same reason the quota is looked at again, and numbers that came in a moment ago do not enter twice.
        A pattern whose question entered within the hour before does not enter again.
        """
        limits = (self.length + SPARE, self._expiry_seconds, self.quota, REPEAT_SECONDS)
        arguments: list[Command] = []
        for entry in entries:
            keys = [history_key(entry.did_hash)]
            if entry.question:
                keys.append(asked_key(entry.did_hash, entry.question))
            founding, record = int(entry.founding), entry.pattern.pack()
            arguments.append((len(keys), *keys, founding, record, *limits))
        return self._kept.ask([("EVALSHA", _APPEND_DIGEST, *each) for each in arguments])

    def entered_of(self, asked: Asked) -> int:
        """How many patterns that were to enter did. Raises HistoryUnavailableError.

        A server that does not know the script by its digest yet gets its text.
        """
        try:
            replies = self._kept.answers(asked)
            if any(isinstance(reply, NoScriptError) for reply in replies):
                replies = self._kept.call([("EVAL", APPEND, *each[2:]) for each in asked.commands])
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
            return sum(map(int, replies))
        except (RedisError, OSError) as error:
            raise HistoryUnavailableError("the histories cannot be written") from error

    def enter_once(
        self, mark: str, entries: Iterable[tuple[str, Sequence[bytes]]], remember_seconds: int
    ) -> bool:
        """Enter all entries as `append` does, and leave `mark`, in one step. False if the mark was there already.

        `entries`: of each DID's hash, the oldest first, b"1" where it founds a history and b"0" where not, and the
        record. The step takes keys of many DIDs, so it needs one server and no cluster.
        Raises HistoryUnavailableError.
        """
        names, values = [mark], []
        for did_hash, each in entries:
            names.append(history_key(did_hash))
            values.append(b"".join(each))
        bounds = [remember_seconds, self.length + SPARE, self._expiry_seconds, self.quota]
        try:
            return bool(self._enter(names, [*bounds, *values]))
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
