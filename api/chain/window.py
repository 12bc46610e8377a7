"""The store behind "same question, same bytes": who may score a question, what came of it, what was signed.

Three keys for each question, none of which holds a DID or outlives the window: a lock, the verdict, and for each
oracle the signed answer. Whoever stores first wins, and everybody gives out what is stored, the storer too. So a crash
between scoring and storing costs an answer and never makes two.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.chain.question import Question
from api.chain.verdict import Verdict
from api.errors import QueueUnavailableError

PREFIX: Final = "biometrics:chain:"
SERIAL_KEY: Final = PREFIX + "serial"
LOCK_MS: Final = (
    1_250  # longer than a worker may take, and short enough for who waits behind a crash
)
MAX_COMMANDS_AT_ONCE: Final = 32  # each takes a connection

# KEYS: answer, verdict, lock. ARGV: owner's token, its life in ms. Returns what there is to go on with.
_CLAIM: Final = """
local answer = redis.call('GET', KEYS[1])
if answer then return {'answer', answer, redis.call('PTTL', KEYS[1])} end
local verdict = redis.call('GET', KEYS[2])
if verdict then return {'verdict', verdict} end
if redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2]) then return {'yours'} end
-- The reply to a claim may have been lost, and the client's retry must not wait for its own lock.
if redis.call('GET', KEYS[3]) == ARGV[1] then return {'yours'} end
return {'taken'}
"""

# KEYS: verdict, serial. ARGV: verdict without its serial, its life in ms, a serial that was seen. Returns the verdict
# that is stored. A serial is the time in microseconds, or the last one plus one where that is more: it grows even if
# the server lost its data or its clock was set back, as long as one of clock, data and callers remembers.
_SETTLE: Final = """
local stored = redis.call('GET', KEYS[1])
if stored then return stored end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local serial = string.format('%.0f', math.max(now, last + 1, tonumber(ARGV[3]) + 1))
redis.call('SET', KEYS[2], serial)
stored = ARGV[1] .. ':' .. serial
redis.call('SET', KEYS[1], stored, 'PX', ARGV[2])
return stored
"""

# KEYS: answer, verdict, lock. ARGV: answer, the verdict that it words, owner's token. Returns the answer that is
# stored and its life in ms, or nothing where that verdict is gone. An answer ends with its verdict.
_PUBLISH: Final = """
if redis.call('GET', KEYS[3]) == ARGV[3] then redis.call('DEL', KEYS[3]) end
local stored = redis.call('GET', KEYS[1])
if stored then return {stored, redis.call('PTTL', KEYS[1])} end
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return {} end
local life = math.max(1, redis.call('PTTL', KEYS[2]))
redis.call('SET', KEYS[1], ARGV[1], 'PX', life)
return {ARGV[1], life}
"""

# KEYS: lock. ARGV: owner's token.
_RELEASE: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@dataclass(frozen=True)
class Stored:
    """The signed answer that everybody gives out, without its DID, and how long it lives."""

    rest: bytes
    life_ms: int


class Yours:
    """The caller is the one to score; nobody else will while its lock lives."""


class Taken:
    """Somebody else scores: look again soon."""


Claim = Stored | Verdict | Yours | Taken


class Window:
    """One oracle's view of the store. Every method raises QueueUnavailableError when Redis does not answer."""

    def __init__(self, redis: Redis, oracle_id: int, seconds: int) -> None:
        self._redis = redis
        self._oracle_id = oracle_id
        self._seconds = seconds
        self._seen = 0
        self._slots = asyncio.Semaphore(MAX_COMMANDS_AT_ONCE)

    async def claim(self, question: Question, token: str) -> Claim:
        """The signed answer, or the verdict to sign, or whether to score (`Yours`) or to wait (`Taken`)."""
        keys = [self._answer(question), _verdict(question), _lock(question)]
        kind, *found = await self._run(_CLAIM, keys, token, LOCK_MS)
        if kind == b"answer":
            return Stored(*found)
        if kind == b"verdict":
            return self._saw(found[0])
        return Yours() if kind == b"yours" else Taken()

    async def settle(
        self, question: Question, score: int, model: str, history: str, now: float
    ) -> Verdict:
        """The verdict that holds for the window that begins `now` (Unix seconds): this one, or one stored before."""
        timestamp = int(now)
        # The chain counts from the whole second, so the window does too.
        life_ms = max(1, round((timestamp + self._seconds - now) * 1000))
        text = f"{score}:{timestamp}:{model}:{history}"
        keys = [_verdict(question), SERIAL_KEY]
        return self._saw(await self._run(_SETTLE, keys, text, life_ms, self._seen))

    async def publish(
        self, question: Question, verdict: Verdict, rest: bytes, token: str
    ) -> Stored | None:
        """The answer that is stored, this one or one before; None where the verdict is no more. Ends the lock."""
        keys = [self._answer(question), _verdict(question), _lock(question)]
        found = await self._run(_PUBLISH, keys, rest, verdict.encode(), token)
        return Stored(*found) if found else None

    async def release(self, question: Question, token: str) -> None:
        """End the token's lock, if it still holds."""
        await self._run(_RELEASE, [_lock(question)], token)

    async def _run(self, script: str, keys: list[str], *arguments: str | bytes | int) -> Any:
        async with self._slots:
            try:
                return await cast(Any, self._redis).eval(script, len(keys), *keys, *arguments)
            except (RedisError, OSError) as error:
                raise QueueUnavailableError("the store of answers cannot be reached") from error

    def _saw(self, stored: bytes) -> Verdict:
        verdict = Verdict.decode(stored)
        self._seen = max(self._seen, verdict.serial)
        return verdict

    def _answer(self, question: Question) -> str:
        return f"{PREFIX}answer:{self._oracle_id}:{question.digest}"


def _verdict(question: Question) -> str:
    return f"{PREFIX}verdict:{question.digest}"


def _lock(question: Question) -> str:
    return f"{PREFIX}lock:{question.digest}"
