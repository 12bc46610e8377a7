"""A job while its body is read: rows by shard in bounded buffers, and the plan of its chunks.

All patterns of one DID fall into one shard, in the order in which they came. Shards are joined to chunks of a few
thousand rows, which a worker sorts by time. A shard too long for that is cut into a chain of chunks, each waiting for
the one before it, which needs its rows to come in the order of time already.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from api.errors import InvalidInputError
from worker.contract import RESULTS_PER_PAGE, SHARDS
from worker.packed import COUNT, LEVEL, PATTERNS_MARK, ROW, marked

# About 0.2 s of one core, and ten times that on a starved machine: three kills in one chunk end it. 8,192 saved less
# than the noise, and a long fault run of such ended one as a dead letter.
CHUNK_ROWS: Final = 4096
MOST_ROWS_SORTED: Final = 65_536  # what a worker sorts in memory
BUFFER_BYTES: Final = 2 * 1024 * 1024
_NOBODY: Final = bytes(16)


class Pattern(NamedTuple):  # made a million times, and faster so than a dataclass
    """One good line. `did_hash` is None where the DID was shortened; `more` is the history and the windows that came
    with it, as `worker.contract` has them."""

    did_hash: bytes | None
    numbers: Sequence[float]  # wpm, hold ms, transition ms, error percent, hour
    unix_seconds: float
    more: tuple[Any, Any] | None = None


@dataclass
class _Shard:
    rows: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)  # unix seconds, of the same rows
    more: list[bytes] = field(default_factory=list)
    fragments: list[int] = field(default_factory=list)  # rows of each that was taken
    latest: float = -math.inf  # unix seconds, of all fragments that were taken
    ordered: bool = True

    def take(self) -> bytes:
        parts = [COUNT.pack(len(self.rows)), *self.rows]
        if self.more:
            parts.append(b"[%b]" % b",".join(self.more))
        self.ordered = self.ordered and min(self.times) >= self.latest
        self.latest = max(self.latest, *self.times)
        self.fragments.append(len(self.rows))
        self.rows, self.times, self.more = [], [], []
        return b"".join(parts)

    @property
    def taken(self) -> int:
        return sum(self.fragments)


@dataclass(frozen=True)
class Load:
    """What leaves the buffers: `(shard, fragment's number, patterns)`, and by page the results of what is broken."""

    fragments: list[tuple[int, int, bytes]]
    broken: dict[int, bytes]
    number: int

    def compressed(self) -> Load:
        """The same, compressed. Takes tens of milliseconds."""
        return Load(
            [(shard, n, marked(PATTERNS_MARK, text)) for shard, n, text in self.fragments],
            {page: zlib.compress(text, LEVEL) for page, text in self.broken.items()},
            self.number,
        )


class Draft:
    """Counts and holds what was read; `take` empties the buffers when they are `full`."""

    def __init__(self) -> None:
        self._shards = [_Shard() for _ in range(SHARDS)]
        self._broken: dict[int, list[bytes]] = {}
        self._bytes = 0
        self._loads = 0
        self.total = 0
        self.broken = 0
        self.full = False

    def add(self, pattern: Pattern) -> None:
        """One good pattern."""
        did, numbers, seconds, more = pattern
        if did is None:
            shard, named, did = self.total % SHARDS, False, _NOBODY
        else:
            shard, named = did[0], True
        held = self._shards[shard]
        if more is not None:
            text = to_json([len(held.rows), *more])
            held.more.append(text)
            self._bytes += len(text)
        held.rows.append(ROW.pack(self.total, named, did, *numbers, seconds))
        held.times.append(seconds)
        self._count(ROW.size)
        if len(held.rows) >= CHUNK_ROWS // 2:
            self.full = True

    def add_broken(self, result: bytes) -> None:
        """One line that is none; `result` says why, as JSON."""
        self._broken.setdefault(self.total // RESULTS_PER_PAGE, []).append(result)
        self.broken += 1
        self._count(len(result))

    def take(self) -> Load:
        """What the buffers hold."""
        fragments = [
            (number, len(shard.fragments), shard.take())
            for number, shard in enumerate(self._shards)
            if shard.rows
        ]
        broken = {page: b"\n".join(lines) for page, lines in self._broken.items()}
        self._broken, self._bytes, self.full = {}, 0, False
        self._loads += 1
        return Load(fragments, broken, self._loads)

    @property
    def fragments(self) -> int:
        """How many fragments were taken."""
        return sum(len(shard.fragments) for shard in self._shards)

    def plan(self) -> list[str]:
        """Each chunk's entry of the plan as JSON, when everything was taken.

        Raises InvalidInputError when too many patterns of one shard come in no order of time.
        """
        chunks: list[dict[str, Any]] = []
        open_chunk: dict[str, Any] | None = None
        for number, shard in enumerate(self._shards):
            if shard.taken > CHUNK_ROWS and shard.ordered:
                chunks += _chain(number, shard.fragments, len(chunks))
                open_chunk = None
            elif shard.taken > MOST_ROWS_SORTED:
                raise InvalidInputError(
                    f"more than {MOST_ROWS_SORTED:,} patterns of one or few DIDs are not in the order of their "
                    "timestamps; sort the patterns by timestamp"
                )
            elif shard.taken:
                if open_chunk is None or open_chunk["rows"] + shard.taken > CHUNK_ROWS:
                    open_chunk = {"rows": 0, "after": None, "next": None, "parts": []}
                    chunks.append(open_chunk)
                open_chunk["rows"] += shard.taken
                open_chunk["parts"].append([number, 0, len(shard.fragments) - 1])
        return [json.dumps(chunk, separators=(",", ":")) for chunk in chunks]

    def _count(self, size: int) -> None:
        self.total += 1
        self._bytes += size
        if self._bytes >= BUFFER_BYTES:
            self.full = True


def _chain(shard: int, fragments: list[int], first: int) -> list[dict[str, Any]]:
    """Chunks of consecutive fragments, each after the one before it."""
    chunks: list[dict[str, Any]] = []
    begin = rows = 0
    for number, count in enumerate(fragments):
        rows += count
        if rows >= CHUNK_ROWS // 2 or number == len(fragments) - 1:
            place = first + len(chunks)
            after = place - 1 if chunks else None
            parts = [[shard, begin, number]]
            chunks.append({"rows": rows, "after": after, "next": place + 1, "parts": parts})
            begin, rows = number + 1, 0
    chunks[-1]["next"] = None
    return chunks
