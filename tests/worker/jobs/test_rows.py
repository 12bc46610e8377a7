"""A chunk's patterns, as the worker reads them."""

from __future__ import annotations

import struct
import zlib

import pytest

from tests.worker.jobs.posted import drafted, job_rows, row
from worker.jobs.rows import PACKED, rows_of
from worker.packed import COUNT, PATTERNS_MARK, ROW, marked


def test_the_two_sides_mean_the_same_bytes() -> None:
    assert PACKED.itemsize == ROW.size
    (_, _, text), *_ = drafted([(row("ab", 61.5), 7.25)]).take().fragments
    (packed,) = rows_of([marked(PATTERNS_MARK, text)]).packed.tolist()
    position, named, did, *numbers, seconds = ROW.unpack_from(text, COUNT.size)
    assert (position, bool(named), seconds) == (packed[0], packed[1], packed[4])
    assert did == packed[2].tobytes() == bytes.fromhex(row("ab")[0])
    assert numbers == packed[3].tolist() == [61.5, 110.75, 90.0, 3.0, 9.0]


def test_rows_come_in_order_of_time_and_of_position_at_the_same_time() -> None:
    times = [7.0, 5.0, 5.0, 1.0]
    rows = job_rows([(row("aa" if n < 3 else None), at) for n, at in enumerate(times)])
    assert rows.packed["position"].tolist() == [3, 1, 2, 0]
    assert rows.packed["named"].tolist() == [False, True, True, True]
    assert len(rows) == 4


def test_what_some_bring_stays_with_them_through_all_fragments() -> None:
    given = [(row(f"{n:02x}", brought=[[n]] if n % 2 else None), 9.0 - n) for n in range(6)]
    given[4][0][3] = [[4.0]]
    rows = job_rows(given)
    found = {int(rows.packed["position"][n]): each for n, each in rows.more.items()}
    assert found == {
        1: ([[1]], None),
        3: ([[3]], None),
        4: (None, [[4.0]]),
        5: ([[5]], None),
    }
    assert rows.windowed
    assert not job_rows(given[:4]).windowed


@pytest.mark.parametrize(
    "blob",
    [
        b"no zlib",
        PATTERNS_MARK + b"no zlib",
        marked(PATTERNS_MARK, b""),
        marked(PATTERNS_MARK, COUNT.pack(2) + bytes(ROW.size)),
        zlib.compress(COUNT.pack(1) + bytes(ROW.size)),
    ],
)
def test_what_is_no_fragment_is_refused(blob: bytes) -> None:
    with pytest.raises((ValueError, struct.error, zlib.error)):
        rows_of([blob])
