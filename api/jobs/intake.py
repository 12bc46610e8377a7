"""Reads a job's body as it comes, checks it item by item, stages it, and publishes the job at the end."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from pydantic_core import to_json
from starlette.requests import Request

from api.errors import (
    ApiError,
    BodyTooLargeError,
    InvalidInputError,
    OverloadedError,
    RateLimitedError,
)
from api.jobs.draft import Draft
from api.jobs.inflate import Gunzip, Plain
from api.jobs.reading import JobReader
from api.jobs.splitter import Item, Splitter
from api.jobs.staging import Staging
from api.jobs.store import Claimant, JobStore
from api.jobs.upload import Upload
from worker.contract import ErrorCode

# Then the event loop may answer who waits for a prediction: 100 plain items take about 0.6 ms, 25 others 0.5 ms.
PLAIN_A_TURN: Final = 100
ITEMS_A_TURN: Final = 25
UPLOADS_AT_ONCE: Final = 8  # each holds a few megabytes
UPLOADS_OF_A_CALLER: Final = 2  # of one that sends slowly, too: the other places are for others
MAX_KEY_LENGTH: Final = 255


@dataclass(frozen=True)
class Bounds:
    """What one job may hold, and how long a client may be silent while it sends."""

    patterns: int
    plain_bytes: int
    item_bytes: int
    silent_seconds: float
    keep_seconds: int


class Intake:
    """Takes in jobs. Memory is the same for ten patterns and for a million."""

    def __init__(
        self, reader: JobReader, store: JobStore, bounds: Bounds, clock: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._store = store
        self._bounds = bounds
        self._clock = clock
        self._uploads: Counter[str] = Counter()  # by caller

    async def take(
        self, request: Request, owner: str, callback: str | None
    ) -> tuple[str, list[str]]:
        """The stored job's id and its plan; an empty plan when the same job was stored before.

        Raises ApiError; nothing of the job is kept then.
        """
        upload = Upload(request, self._bounds.silent_seconds)
        try:
            with self._place(owner):
                return await self._take(request, upload, owner, callback)
        except ApiError:
            await upload.drain()  # without a place: others may send meanwhile
            raise

    @contextmanager
    def _place(self, owner: str) -> Iterator[None]:
        if self._uploads[owner] >= UPLOADS_OF_A_CALLER:
            raise RateLimitedError(
                f"{UPLOADS_OF_A_CALLER} jobs of yours are being sent; wait for the end of one"
            )
        if self._uploads.total() >= UPLOADS_AT_ONCE:
            raise OverloadedError(f"{UPLOADS_AT_ONCE} jobs are being sent already")
        self._uploads[owner] += 1
        try:
            yield
        finally:
            self._uploads[owner] -= 1
            self._uploads += Counter()  # forgets who sends nothing any more

    async def _take(
        self, request: Request, upload: Upload, owner: str, callback: str | None
    ) -> tuple[str, list[str]]:
        job_id = uuid.uuid4().hex
        draft = Draft()
        try:
            async with Staging(self._store, job_id) as staging:
                digest, first = await self._read(request, upload, draft, staging)
            if draft.total == draft.broken:
                raise InvalidInputError(_nothing_good(draft.total, first))
            key = _key(request) or f"content:{digest}"
            fields: dict[str, Any] = {
                "state": "queued",
                "owner": owner,
                "created": self._clock(),
                "total": draft.total,
                "broken": draft.broken,
                "failed": draft.broken,
                "done": 0,
                "keep_seconds": self._bounds.keep_seconds,
            }
            if callback is not None:
                fields |= {
                    "callback": callback,
                    "callback_state": "waiting",
                    "callback_attempts": 0,
                }
                digest = hashlib.sha256(f"{digest} {callback}".encode()).hexdigest()
            who = Claimant(owner, hashlib.sha256(key.encode()).hexdigest(), digest)
            known, plan = await self._store.publish(job_id, draft, who, fields)
        except BaseException:
            await asyncio.shield(self._store.discard(job_id, draft.total))
            raise
        if known != job_id:
            await self._store.discard(job_id, draft.total)
        return known, plan

    async def _read(
        self, request: Request, upload: Upload, draft: Draft, staging: Staging
    ) -> tuple[str, str]:
        """The digest of the plain body, and what is wrong with the first broken item."""
        digest = hashlib.sha256()
        splitter, inflate = Splitter(self._bounds.item_bytes), _inflate(request)
        length, first = 0, ""
        now = self._clock()
        async for arrived in upload.pieces():
            for piece in inflate.feed(arrived):
                digest.update(piece)
                length += len(piece)
                if length > self._bounds.plain_bytes:
                    raise BodyTooLargeError(
                        f"a job must be at most {self._bounds.plain_bytes:,} bytes; send several"
                    )
                items = splitter.feed(piece)
                while some := list(islice(items, PLAIN_A_TURN)):
                    wrong = await self._add(draft, some, now)
                    first = first or wrong
                await asyncio.sleep(0)  # a small body may unpack to many pieces without an item
                if draft.full:
                    await staging.begin(draft.take())
        inflate.finish()
        wrong = await self._add(draft, list(splitter.finish()), now)
        first = first or wrong
        await staging.begin(draft.take())
        return digest.hexdigest(), first

    async def _add(self, draft: Draft, items: list[Item], now: float) -> str:
        """What is wrong with the first broken item; empty when nothing is."""
        if draft.total + len(items) <= self._bounds.patterns and not any(
            item.too_long for item in items
        ):
            plain = self._reader.plain([item.text for item in items], now)
            if plain is not None:
                for pattern in plain:
                    draft.add(pattern)
                await asyncio.sleep(0)
                return ""
        first = ""
        for count, item in enumerate(items, 1):
            wrong = self._add_one(draft, item, now)
            first = first or wrong
            if count % ITEMS_A_TURN == 0:
                await asyncio.sleep(0)
        return first

    def _add_one(self, draft: Draft, item: Item, now: float) -> str:
        """What is wrong with the item; empty when nothing is."""
        if draft.total >= self._bounds.patterns:
            raise BodyTooLargeError(
                f"a job must have at most {self._bounds.patterns:,} patterns; send several"
            )
        position = draft.total
        try:
            if item.too_long:
                raise InvalidInputError(
                    f"a pattern must be at most {self._bounds.item_bytes:,} bytes"
                )
            draft.add(self._reader.one(item.text, now))
        except InvalidInputError as error:
            broken = {
                "index": position,
                "line": item.line,
                "error_code": ErrorCode.INVALID_INPUT,
                "detail": error.detail,
            }
            draft.add_broken(to_json(broken))
            return f"line {item.line}: {error.detail}"
        return ""


def _inflate(request: Request) -> Gunzip | Plain:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip"}:
        return Gunzip()
    if encoding in {"identity", ""}:
        return Plain()
    raise InvalidInputError("Content-Encoding must be gzip, or none")


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise InvalidInputError(f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} characters")
    return f"key:{key}"


def _nothing_good(total: int, first: str) -> str:
    if total == 0:
        return "the body has no pattern; send a JSON list of patterns, or one pattern on each line"
    return f"none of the {total:,} patterns is valid; {first}"
