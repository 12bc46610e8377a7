"""Rows and results of a chunk, packed and unpacked."""

from __future__ import annotations

import json
import zlib

from worker.contract import RESULTS_PER_PAGE
from worker.history import Entry
from worker.jobs.rows import pack_entries, pages_of, rows_of, unpack_entries
from worker.records import Pattern


def fragment(*lines: list[object]) -> bytes:
    return zlib.compress(b"".join(json.dumps(line).encode() + b",\n" for line in lines))


def test_rows_come_in_order_of_time_and_of_position_at_the_same_time() -> None:
    numbers = [60, 110, 90, 3, 9]
    first = fragment([2, "a", numbers, None, None, 5.0], [0, "a", numbers, None, None, 7.0])
    second = fragment([1, "a", numbers, None, None, 5.0], [9, None, numbers, None, None, 1.0])
    found = rows_of([first, second])
    assert [row.position for row in found] == [9, 1, 2, 0]
    assert [row.abbreviated for row in found] == [True, False, False, False]
    assert found[1].row == ["a", numbers, None, None]


def test_results_are_kept_by_page_of_the_input_in_its_order() -> None:
    answers = {RESULTS_PER_PAGE + 1: {"x": 1}, 3: {"x": 2}, RESULTS_PER_PAGE: {"x": 3}}
    pages = pages_of(answers)
    assert set(pages) == {0, 1}
    lines = [json.loads(line) for line in zlib.decompress(pages[1]).split(b"\n")]
    assert lines == [{"index": RESULTS_PER_PAGE, "x": 3}, {"index": RESULTS_PER_PAGE + 1, "x": 1}]


def test_entries_come_back_as_records() -> None:
    pattern = Pattern(1_790_000_000, (60.0, 110.0, 90.0, 3.0), 9)
    entry = Entry("aa", pattern, founding=True)
    assert unpack_entries(pack_entries([entry], 4, 1)) == ([entry], 4, 1)
