"""What enters histories, from a batch's columns to the records that a store keeps."""

from __future__ import annotations

import json
import zlib

import numpy as np
import pytest

from ml.statistics import pool
from tests.worker.batches import window
from tests.worker.entering import by_did
from worker.history import Entry
from worker.jobs.entries import Entering, joined, packed, records_of, unpacked
from worker.records import RICH, SUMMARY, Pattern, pack_derived

NUMBERS = np.array([[60.25, 110.1, -9.3, 3.0, 9.7], [400.0, 0.0, 1e4, 100.0, 23.0]])
SECONDS = np.array([1_790_000_000.75, 5.0])


def dids(*first: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return np.array([[n, n + 1] for n in first], dtype="<u8")


def name(first: int) -> str:
    return first.to_bytes(8, "little").hex() + (first + 1).to_bytes(8, "little").hex()


def patterns(extras: list[bytes]) -> list[Pattern]:
    return [
        Pattern(int(seconds), tuple(row[:4]), int(row[4]), extra)
        for row, seconds, extra in zip(NUMBERS.tolist(), SECONDS.tolist(), extras, strict=True)
    ]


def test_a_batchs_records_are_those_of_its_patterns_one_by_one() -> None:
    records = records_of(NUMBERS, SECONDS, None, SUMMARY)
    assert [each.tobytes() for each in records] == [each.pack() for each in patterns([b"", b""])]


def test_a_rich_record_stands_beside_a_plain_one() -> None:
    derived = np.stack([pool(np.array([window(3)], dtype=np.float64)), np.zeros(58)])
    records = records_of(NUMBERS, SECONDS, derived, RICH)
    one, other = patterns(pack_derived(derived))
    assert records[0].tobytes() == one.pack()
    assert records[1].tobytes()[: SUMMARY.itemsize] == other.pack()
    entering = Entering(dids(7, 7), np.array([True, False]), records)
    expected = by_did([Entry(name(7), one, founding=True), Entry(name(7), other)])
    assert list(entering.by_did()) == expected


def test_each_dids_records_stay_in_order_whatever_lies_between() -> None:
    first = Entering(
        dids(9, 2), np.array([True, True]), records_of(NUMBERS, SECONDS, None, SUMMARY)
    )
    later = Entering(
        dids(2, 9), np.array([False, False]), records_of(NUMBERS, SECONDS + 60, None, SUMMARY)
    )
    found = dict(joined([first, later]).by_did())
    assert set(found) == {name(2), name(9)}
    assert found[name(9)] == [
        b"1" + first.records[0].tobytes(),
        b"0" + later.records[1].tobytes(),
    ]


@pytest.mark.parametrize("dtype", [SUMMARY, RICH])
def test_entries_come_back_as_they_were_kept(dtype: np.dtype[np.void]) -> None:
    entering = Entering(
        dids(5, 6), np.array([True, False]), records_of(NUMBERS, SECONDS, None, dtype)
    )
    found, scored, failed = unpacked(packed(entering, 4, 1))
    assert (scored, failed) == (4, 1)
    assert list(found.by_did()) == list(entering.by_did())


def test_no_entries_are_kept_as_none() -> None:
    found, scored, failed = unpacked(packed(joined([]), 0, 3))
    assert (list(found.by_did()), scored, failed) == ([], 0, 3)


def test_entries_in_another_form_are_refused_and_not_miscounted() -> None:
    older = zlib.compress(json.dumps([4, 1, [["aa" * 16, "00" * 22, True]]]).encode())
    with pytest.raises(ValueError, match="of another release"):
        unpacked(older)
