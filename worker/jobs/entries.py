"""What a scored chunk has still to write into histories."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worker.packed import marked, plain
from worker.records import (
    RICH,
    RICH_FORMAT,
    SUMMARY,
    SUMMARY_FORMAT,
    WINDOWS,
    Floats,
    Records,
    extra_of,
)

_MARK = b"E"  # see `worker.packed`: only workers read these
_COUNTS = struct.Struct("<III")  # scored, failed, bytes of a record


def records_of(
    numbers: Floats, seconds: Floats, derived: Floats | None, dtype: np.dtype[np.void]
) -> Records:
    """The records (B,) of B patterns (B, 5), each with the time under which it enters, as `Pattern.pack` has them."""
    records = np.zeros(len(numbers), dtype)
    records["format"] = SUMMARY_FORMAT
    records["seconds"] = seconds
    records["features"] = numbers[:, :4]
    records["hour"] = numbers[:, 4]
    if derived is not None:
        rich = derived[:, WINDOWS] > 0  # (B,)
        records["format"][rich] = RICH_FORMAT
        records["extra"][rich] = extra_of(derived[rich])
    return records


@dataclass(frozen=True)
class Entering:
    """E records, each DID's oldest first. `dids` (E, 2), `founding` (E,): where the DID had no history when judged."""

    dids: NDArray[np.uint64]
    founding: NDArray[np.bool_]
    records: Records

    def __len__(self) -> int:
        return len(self.records)

    def by_did(self) -> Iterator[tuple[str, list[bytes]]]:
        """Each DID's hash with its entries as `History.enter_once` takes them."""
        order = np.lexsort((self.dids[:, 1], self.dids[:, 0]))  # stable
        dids, size = self.dids[order], self.records.dtype.itemsize
        data, kinds = self.records[order].tobytes(), self.records["format"][order]
        lengths = np.where(kinds == RICH_FORMAT, RICH.itemsize, SUMMARY.itemsize).tolist()
        marks = [b"1" if each else b"0" for each in self.founding[order].tolist()]
        entries = [
            mark + data[n * size : n * size + length]
            for n, (mark, length) in enumerate(zip(marks, lengths, strict=True))
        ]
        changes = np.flatnonzero((dids[1:] != dids[:-1]).any(axis=1)) + 1
        bounds = [0, *changes.tolist(), len(self)] if len(self) else []
        for start, end in pairwise(bounds):
            yield dids[start].tobytes().hex(), entries[start:end]


def joined(parts: Sequence[Entering]) -> Entering:
    """All of them, in this order."""
    if not parts:
        return Entering(np.empty((0, 2), "<u8"), np.empty(0, np.bool_), np.empty(0, SUMMARY))
    return Entering(
        np.concatenate([part.dids for part in parts]),
        np.concatenate([part.founding for part in parts]),
        np.concatenate([part.records for part in parts]),
    )


def packed(entering: Entering, scored: int, failed: int) -> bytes:
    """What a scored chunk has still to write, with its counts."""
    head = _COUNTS.pack(scored, failed, entering.records.dtype.itemsize)
    arrays = (entering.dids, entering.founding, entering.records)
    return marked(_MARK, head + b"".join(each.tobytes() for each in arrays))


def unpacked(blob: bytes) -> tuple[Entering, int, int]:
    """What `packed` took. Raises zlib.error, struct.error and ValueError for what it did not make."""
    data = plain(_MARK, blob)
    scored, failed, size = _COUNTS.unpack_from(data)
    count = (len(data) - _COUNTS.size) // (16 + 1 + size)
    dids = np.frombuffer(data, "<u8", 2 * count, _COUNTS.size).reshape(count, 2)
    founding = np.frombuffer(data, np.bool_, count, _COUNTS.size + 16 * count)
    dtype = RICH if size == RICH.itemsize else SUMMARY
    records = np.frombuffer(data, dtype, count, _COUNTS.size + 17 * count)
    return Entering(dids, founding, records), scored, failed
