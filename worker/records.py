"""What Redis keeps of one pattern: a record of one of two formats, little-endian, and many records as arrays at once.

| | bytes | |
|---|---|---|
| head | 22 | format (u8), unix seconds (u32), wpm, hold ms, transition ms, error percent (float32), hour (u8) |
| format 1 | | the head: a pattern of four numbers |
| format 2 | +92 | 34 even values of `ml.statistics` by 0.001 (i16), 23 counts (u8), number of windows (u8) |

A session of several windows is pooled before. A count above 255 is kept as 255, each by itself: at 255 keys a
statistic's noise hardly depends on its count any more, and scaling all counts down would rob the rare classes of
theirs.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, compress

import numpy as np
from numpy.typing import NDArray

from worker.contract import WINDOW_COUNTS, WINDOW_STATISTICS

# A derived row as `ml.statistics` has it, which cannot be imported before the device is pinned.
VALUES = slice(0, len(WINDOW_STATISTICS))
COUNTED = slice(VALUES.stop, VALUES.stop + len(WINDOW_COUNTS))
WINDOWS = COUNTED.stop
DERIVED = WINDOWS + 1

SUMMARY_FORMAT = 1
RICH_FORMAT = 2
STEPS = 1000.0  # an even value lies between 0 and 32
GREATEST_COUNT = 255

_HEAD = struct.Struct("<BIffffB")
_FIELDS = [("format", "u1"), ("seconds", "<u4"), ("features", "<f4", 4), ("hour", "u1")]
_EXTRA = np.dtype(
    [
        ("values", "<i2", len(WINDOW_STATISTICS)),
        ("counts", "u1", len(WINDOW_COUNTS)),
        ("windows", "u1"),
    ]
)
SUMMARY = np.dtype(_FIELDS)
RICH = np.dtype([*_FIELDS, ("extra", _EXTRA)])

Records = NDArray[np.void]  # of SUMMARY or RICH; in a RICH array a summary's extra is all zero
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One session: `unix_seconds`, four features (wpm, ms, ms, percent), hour of the day 0-23.

    `extra`: what `pack_derived` makes of its windows' statistics; empty where it has none.
    """

    unix_seconds: int
    features: tuple[float, float, float, float]
    hour: int = 0
    extra: bytes = b""

    def pack(self) -> bytes:
        """The record that Redis keeps."""
        kind = RICH_FORMAT if self.extra else SUMMARY_FORMAT
        return _HEAD.pack(kind, self.unix_seconds, *self.features, self.hour) + self.extra

    @classmethod
    def unpack(cls, record: bytes) -> Pattern | None:
        """The pattern of a record, None for what this release would not have written."""
        wanted = {SUMMARY.itemsize: SUMMARY_FORMAT, RICH.itemsize: RICH_FORMAT}.get(len(record))
        if wanted is None or record[0] != wanted:
            return None
        _, seconds, wpm, hold, transition, errors, hour = _HEAD.unpack_from(record)
        if not all(map(math.isfinite, (wpm, hold, transition, errors))):
            return None
        return cls(seconds, (wpm, hold, transition, errors), hour, record[_HEAD.size :])


def pack_derived(derived: Floats) -> list[bytes]:
    """Each derived row (B, 58) of `ml.statistics` as a pattern's `extra`; empty for a row of zeros."""
    rich = derived[:, WINDOWS] > 0
    rows = zip(extra_of(derived), rich, strict=True)
    return [row.tobytes() if some else b"" for row, some in rows]


def extra_of(derived: Floats) -> NDArray[np.void]:
    """The derived rows (B, 58) as a record's `extra` (B,)."""
    packed = np.zeros(len(derived), _EXTRA)
    packed["values"] = np.rint(derived[:, VALUES].clip(0, 32) * STEPS)
    packed["counts"] = np.rint(derived[:, COUNTED]).clip(0, GREATEST_COUNT)
    packed["windows"] = derived[:, WINDOWS].clip(0, GREATEST_COUNT)
    return packed


def derived_of(records: Records) -> Floats | None:
    """The derived rows (..., 58) of records; None where none of them can have one."""
    if records.dtype != RICH:
        return None
    extra = records["extra"]
    derived = np.empty((*records.shape, DERIVED))
    derived[..., VALUES] = extra["values"] / STEPS
    derived[..., COUNTED] = extra["counts"]
    derived[..., WINDOWS] = extra["windows"]
    return derived


def decode(lists: Sequence[Sequence[bytes]]) -> tuple[Records, NDArray[np.int64]]:
    """B lists of records as an array (B, K), and how many (B,) count; what is no record of ours is left out.

    The array is of SUMMARY where no record is rich, else of RICH. All records are read at once.
    """
    flat = list(chain.from_iterable(lists))
    sizes = [len(each) for each in lists]
    found, sound = _read(flat)
    if len(set(sizes)) == 1 and sound.all():  # as among grown histories: nothing to move
        return found.reshape(len(lists), sizes[0]), np.array(sizes)
    owner = np.repeat(np.arange(len(lists)), sizes)[sound]
    found = found[sound]
    counts = np.bincount(owner, minlength=len(lists))
    place = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    records = np.zeros((len(lists), int(counts.max(initial=0))), found.dtype)
    records[owner, place] = found
    return records, counts


def _read(flat: list[bytes]) -> tuple[Records, NDArray[np.bool_]]:
    """All records (N,), and which of them (N,) this release would have written."""
    if set(map(len, flat)) <= {SUMMARY.itemsize}:
        found = np.frombuffer(bytearray().join(flat), SUMMARY)
        sound = found["format"] == SUMMARY_FORMAT
    else:
        lengths = np.fromiter(map(len, flat), np.int64, len(flat))
        rich = lengths == RICH.itemsize
        whole = lengths == SUMMARY.itemsize
        found = np.zeros(len(flat), RICH if rich.any() else SUMMARY)
        as_bytes = found.view(np.uint8).reshape(len(flat), found.itemsize)
        for kind, which in ((SUMMARY, whole), (RICH, rich)):
            some = np.frombuffer(b"".join(compress(flat, which)), np.uint8)
            if len(some):
                as_bytes[which, : kind.itemsize] = some.reshape(-1, kind.itemsize)
        wanted = np.where(rich, RICH_FORMAT, SUMMARY_FORMAT)
        sound = (whole | rich) & (found["format"] == wanted)
    return found, sound & np.isfinite(found["features"]).all(axis=1)
