"""The rows of a chunk, as the front end left them, and the lines that go back."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from worker.contract import RESULTS_PER_PAGE
from worker.history import Entry
from worker.records import Pattern

LEVEL = 1  # zlib's fastest: results shrink to a fifth, level 6 takes four times as long for a sixth


class JobRow(NamedTuple):  # made a million times, and faster so than a dataclass
    """One pattern: its place in the job's input, and a row of the scoring message."""

    position: int
    row: list[Any]  # did_hash, numbers, history, windows
    unix_seconds: float

    @property
    def abbreviated(self) -> bool:
        """Whether its DID was shortened for display."""
        return self.row[0] is None


def rows_of(fragments: Iterable[bytes]) -> list[JobRow]:
    """The rows of compressed fragments, in order of time, and of position at the same time."""
    text = b"".join(map(zlib.decompress, fragments))
    lines: list[list[Any]] = from_json(b"[" + text[:-2] + b"]")
    lines.sort(key=itemgetter(5, 0))
    return [JobRow(line[0], line[1:5], line[5]) for line in lines]


def pages_of(answers: Mapping[int, Mapping[str, Any]]) -> dict[int, bytes]:
    """Compressed lines by page of the input: `{"index": position, ...}` each, positions ascending."""
    pages: dict[int, list[dict[str, Any]]] = {}
    for position in sorted(answers):
        answer = {"index": position, **answers[position]}
        pages.setdefault(position // RESULTS_PER_PAGE, []).append(answer)
    return {page: zlib.compress(_lines(found), LEVEL) for page, found in pages.items()}


def _lines(answers: list[dict[str, Any]]) -> bytes:
    """Each answer on a line: made at once and cut apart, which takes half as long as one by one.

    Inside of a string every quotation mark has a backslash, so that no text looks like a cut.
    """
    return to_json(answers)[1:-1].replace(b'},{"index":', b'}\n{"index":')


def pack_entries(entries: Iterable[Entry], scored: int, failed: int) -> bytes:
    """What a scored chunk has still to write, with its counts."""
    records = [(each.did_hash, each.pattern.pack().hex(), each.founding) for each in entries]
    return zlib.compress(to_json([scored, failed, records]), LEVEL)


def unpack_entries(blob: bytes) -> tuple[list[Entry], int, int]:
    """The entries, and how many patterns were scored and failed."""
    scored, failed, records = from_json(zlib.decompress(blob))
    entries = []
    for did_hash, record, founding in records:
        pattern = Pattern.unpack(bytes.fromhex(record))
        if pattern is not None:
            entries.append(Entry(did_hash, pattern, founding))
    return entries, scored, failed
