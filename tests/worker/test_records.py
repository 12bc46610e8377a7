"""The records of a history: two formats, and many of them as arrays."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.statistics import COUNTED, DERIVED, VALUES, WINDOWS, pool
from tests.worker.batches import window
from worker import records
from worker.records import RICH, SUMMARY, Pattern, decode, derived_of, pack_derived

BYTES_OF_A_SUMMARY, BYTES_OF_A_RICH_ONE = 22, 114


def derived(seed: int, windows: int = 1) -> np.ndarray:
    found = [window(seed * 100 + n, 0.7) for n in range(windows)]
    return pool(np.array(found, dtype=np.float64))


def rich(n: int) -> Pattern:
    extra = pack_derived(derived(n)[None])[0]
    return Pattern(1_700_000_000 + n, (60.0 + n, 100.0, 80.0, 2.5), n % 24, extra)


def plain(n: int) -> Pattern:
    return Pattern(1_700_000_000 + n, (60.0 + n, 100.0, 80.0, 2.5), n % 24)


floats = st.floats(-1000, 10_000, width=32)


@given(st.integers(0, 2**32 - 1), st.tuples(floats, floats, floats, floats), st.integers(0, 23))
def test_a_record_gives_back_what_went_in(
    seconds: int, features: tuple[float, float, float, float], hour: int
) -> None:
    for extra in (b"", pack_derived(derived(hour)[None])[0]):
        kept = Pattern(seconds, features, hour, extra)
        assert Pattern.unpack(kept.pack()) == kept


def test_a_derived_row_has_the_same_parts_here_and_in_the_model() -> None:
    here = (records.VALUES, records.COUNTED, records.WINDOWS, records.DERIVED)
    assert here == (VALUES, COUNTED, WINDOWS, DERIVED)


def test_records_have_their_documented_sizes() -> None:
    assert len(plain(1).pack()) == SUMMARY.itemsize == BYTES_OF_A_SUMMARY
    assert len(rich(1).pack()) == RICH.itemsize == BYTES_OF_A_RICH_ONE


@given(st.integers(0, 10_000), st.integers(1, 4))
def test_a_derived_row_comes_back_within_half_a_step_and_its_counts_exactly(
    seed: int, windows: int
) -> None:
    row = derived(seed, windows)
    found_records, _ = decode([[Pattern(1, (1, 1, 1, 1), 1, pack_derived(row[None])[0]).pack()]])
    found = derived_of(found_records)
    assert found is not None
    assert np.abs(found[0, 0, VALUES] - row[VALUES]).max() <= 0.0005 + 1e-9
    assert (found[0, 0, COUNTED] == np.minimum(row[COUNTED], 255)).all()
    assert found[0, 0, WINDOWS] == windows
    assert ((found[0, 0, VALUES] == 0) == (row[VALUES] == 0)).all()


def test_a_count_beyond_a_byte_is_kept_as_the_greatest_and_leaves_the_others_alone() -> None:
    row = derived(1)
    row[COUNTED.start] = 1000
    row[COUNTED.start + 1] = 3
    found_records, _ = decode([[Pattern(1, (1, 1, 1, 1), 1, pack_derived(row[None])[0]).pack()]])
    found = derived_of(found_records)
    assert found is not None
    assert found[0, 0, COUNTED][:2].tolist() == [255, 3]


def test_a_row_of_zeros_is_a_pattern_of_four_numbers() -> None:
    assert pack_derived(np.zeros((2, DERIVED))) == [b"", b""]


NOT_FINITE = struct.pack("<BIffffB", 1, 1, math.nan, 1.0, math.inf, 1.0, 1)
FOREIGN = [
    b"",
    b"\x02" + bytes(21),
    b"\x01" + bytes(113),
    bytes(22),
    bytes(114),
    b"\x01" + bytes(22),
    NOT_FINITE,
]


@pytest.mark.parametrize("record", FOREIGN)
def test_a_record_that_this_release_would_not_have_written_is_left_out(record: bytes) -> None:
    assert Pattern.unpack(record) is None
    for good in (plain(1), rich(1)):
        found, counts = decode([[good.pack(), record], [record]])
        assert counts.tolist() == [1, 0]
        assert found["features"][0, 0].tolist() == [61.0, 100.0, 80.0, 2.5]


@given(st.lists(st.lists(st.integers(0, 40), max_size=6), max_size=6), st.booleans())
def test_all_records_at_once_are_what_they_are_one_by_one(
    drawn: list[list[int]], mixed: bool
) -> None:
    lists = [[rich(n) if mixed and n % 2 else plain(n) for n in each] for each in drawn]
    packed = [[pattern.pack() for pattern in each] for each in lists]
    for each in packed:
        each.insert(len(each) // 2, b"\x07junk")
    found, counts = decode(packed)
    assert found.shape == (len(lists), max(map(len, lists), default=0))
    assert counts.tolist() == [len(each) for each in lists]
    for i, patterns in enumerate(lists):
        for k, pattern in enumerate(patterns):
            record = found[i, k]
            assert record["seconds"] == pattern.unix_seconds
            assert tuple(record["features"].tolist()) == pattern.features
            assert record["hour"] == pattern.hour
            extra = record["extra"].tobytes() if found.dtype == RICH else bytes(92)
            assert extra == (pattern.extra or bytes(92))
    any_rich = any(pattern.extra for patterns in lists for pattern in patterns)
    assert (derived_of(found) is not None) == any_rich


def test_patterns_of_four_numbers_alone_make_no_room_for_statistics() -> None:
    found_records, _ = decode([[plain(n).pack() for n in range(5)]])
    assert found_records.dtype == SUMMARY
    assert derived_of(found_records) is None
