"""A job while its body is read: rows by shard in bounded buffers, and the plan of its chunks.

All patterns of one DID fall into one shard, in the order in which they came. Shards are joined to chunks of a few
thousand rows, which a worker sorts by time. A shard too long for that is cut into a chain of chunks, each waiting for
the one before it, which needs its rows to come in the order of time already.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

from api.errors import InvalidInputError
from worker.contract import RESULTS_PER_PAGE, SHARDS

CHUNK_ROWS: Final = 4096  # about 0.3 s of one core; more make the scorer's batches no better
MOST_ROWS_SORTED: Final = 65_536  # what a worker sorts in memory, about 40 MB
BUFFER_BYTES: Final = 2 * 1024 * 1024
LEVEL: Final = 1


@dataclass
class _Shard:
    lines: list[bytes] = field(default_factory=list)
    fragments: list[int] = field(default_factory=list)  # rows of each that was taken
    latest: float = -math.inf  # unix seconds, of all fragments that were taken
    earliest_now: float = math.inf
    latest_now: float = -math.inf
    ordered: bool = True

    def add(self, line: bytes, unix_seconds: float) -> None:
        self.lines.append(line)
        self.earliest_now = min(self.earliest_now, unix_seconds)
        self.latest_now = max(self.latest_now, unix_seconds)

    def take(self) -> bytes:
        text = b",\n".join(self.lines) + b",\n"
        self.ordered = self.ordered and self.earliest_now >= self.latest
        self.latest = max(self.latest, self.latest_now)
        self.fragments.append(len(self.lines))
        self.lines, self.earliest_now, self.latest_now = [], math.inf, -math.inf
        return text

    @property
    def rows(self) -> int:
        return sum(self.fragments)


@dataclass(frozen=True)
class Load:
    """What leaves the buffers: `(shard, fragment's number, text)`, and by page the results of what is broken."""

    fragments: list[tuple[int, int, bytes]]
    broken: dict[int, bytes]
    number: int

    def compressed(self) -> Load:
        """The same, compressed. Takes tens of milliseconds."""
        return Load(
            [(shard, number, zlib.compress(text, LEVEL)) for shard, number, text in self.fragments],
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

    def add(self, did_hash: str | None, line: bytes, unix_seconds: float) -> None:
        """One good row; `line` is it as JSON."""
        shard = self.total % SHARDS if did_hash is None else int(did_hash[:2], 16)
        held = self._shards[shard]
        held.add(line, unix_seconds)
        self._count(len(line))
        self.full = self.full or len(held.lines) >= CHUNK_ROWS // 2

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
            if shard.lines
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
            if shard.rows > CHUNK_ROWS and shard.ordered:
                chunks += _chain(number, shard.fragments, len(chunks))
                open_chunk = None
            elif shard.rows > MOST_ROWS_SORTED:
                raise InvalidInputError(
                    f"more than {MOST_ROWS_SORTED:,} patterns of one or few DIDs are not in the order of their "
                    "timestamps; sort the patterns by timestamp"
                )
            elif shard.rows:
                if open_chunk is None or open_chunk["rows"] + shard.rows > CHUNK_ROWS:
                    open_chunk = {"rows": 0, "after": None, "next": None, "parts": []}
                    chunks.append(open_chunk)
                open_chunk["rows"] += shard.rows
                open_chunk["parts"].append([number, 0, len(shard.fragments) - 1])
        return [json.dumps(chunk, separators=(",", ":")) for chunk in chunks]

    def _count(self, size: int) -> None:
        self.total += 1
        self._bytes += size
        self.full = self.full or self._bytes >= BUFFER_BYTES


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
