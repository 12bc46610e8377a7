"""The answers of one message as bytes, and in columns."""

from __future__ import annotations

from pydantic_core import from_json

from worker.contract import ErrorCode
from worker.worded import Worded, failed


def test_each_row_ends_where_the_columns_say() -> None:
    worded = Worded([b'{"a":1}', b"{}", b'{"bb":2}'], [1, 2, 3], [0.5] * 3, [0, 1, 0], 2.5)
    joined = b",".join(worded.rows)
    ends = worded.columns()["ends"]
    begins = [0, *(end + 1 for end in ends[:-1])]
    assert [joined[a:b] for a, b in zip(begins, ends, strict=True)] == list(worded.rows)
    assert ends[-1] == len(joined)
    assert worded.columns()["inference_ms"] == 2.5


def test_errors_are_told_by_place() -> None:
    worded = Worded([b"{}"] * 3, [0] * 3, [0.0] * 3, [0] * 3, 0.0, {2: "B", 0: "A"})
    assert worded.columns()["errors"] == [(0, "A"), (2, "B")]
    assert worded.scored == 1


def test_a_refused_message_has_one_error_a_row() -> None:
    worded = failed(3, ErrorCode.DEADLINE_EXCEEDED)
    assert [from_json(each) for each in worded.rows] == [{"error": "DEADLINE_EXCEEDED"}] * 3
    assert worded.scored == 0
    assert worded.columns()["confidence"] == [0, 0, 0]
    assert [code for _, code in worded.columns()["errors"]] == ["DEADLINE_EXCEEDED"] * 3
