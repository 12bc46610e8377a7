"""Answers as a worker words them, held to the same answers parsed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import to_json

from api.reply import Reply, read
from tests.api.known_answer import known_answer
from tests.worker.outcomes import outcome_of
from worker.contract import RESULT_COLUMNS, RESULT_HEAD, Answer, ErrorCode, Reason, RowError

FAILED = RowError(error=ErrorCode.HISTORY_REQUIRED)


def answer(confidence: int, *reasons: str) -> Answer:
    found = known_answer([None, [confidence], None, None])
    found["reasons"] = list(reasons)
    return found


def stored(*rows: Answer | RowError) -> bytes:
    """What a worker puts into Redis by its short way."""
    meta = b'"status":"SUCCESS","task_id":"i.1","children":[]}'
    return b'{"result":%b,%b' % (outcome_of(*rows).text(), meta)


def as_bytes(*rows: Answer | RowError) -> Reply:
    return Reply.of(read(stored(*rows))["result"])


def through_celery(*rows: Answer | RowError) -> Reply:
    """An older worker's words, or those of one that answered the long way."""
    meta = {"status": "SUCCESS", "result": {"v": 1, "rows": list(rows)}, "task_id": "i.1"}
    return Reply.of(read(to_json(meta))["result"])


WAYS = pytest.mark.parametrize("replied", [as_bytes, through_celery])
ROWS = (answer(80), answer(7, Reason.ANOMALOUS), FAILED, answer(9, Reason.NO_HISTORY), FAILED)


@WAYS
def test_a_reply_has_the_rows_that_the_worker_worded(replied: Any) -> None:
    assert [*replied(*ROWS)] == [*ROWS]
    assert replied(*ROWS).text() == to_json(list(ROWS))[1:-1]
    assert len(replied(*ROWS)) == 5


@WAYS
def test_every_part_of_a_reply_is_that_part_of_its_rows(replied: Any) -> None:
    whole = replied(*ROWS)
    for first in range(6):
        for stop in range(first, 6):
            part = whole.part(first, stop)
            assert [*part] == [*ROWS[first:stop]]
            assert part.text() == to_json(list(ROWS[first:stop]))[1:-1]
            assert [*part.part(0, len(part))] == [*part]
            assert part.confidence == [80, 7, 0, 9, 0][first:stop]
            assert part.anomaly == [0.12, 0.12, 0.0, 0.12, 0.0][first:stop]
            assert part.anomalies == (first <= 1 < stop)


@WAYS
def test_the_first_error_of_a_part_is_told_by_its_place_in_it(replied: Any) -> None:
    whole = replied(*ROWS)
    assert whole.error == (2, ErrorCode.HISTORY_REQUIRED)
    assert whole.part(3, 5).error == (1, ErrorCode.HISTORY_REQUIRED)
    assert whole.part(2, 3).error == (0, ErrorCode.HISTORY_REQUIRED)
    assert whole.part(0, 2).error is None
    assert whole.part(3, 4).error is None


def test_the_scoring_took_as_long_as_the_rows_say() -> None:
    assert through_celery(FAILED, answer(3)).inference_ms == answer(3)["inference_time_ms"]
    assert through_celery(FAILED).inference_ms == 0


@WAYS
def test_no_rows_are_no_rows(replied: Any) -> None:
    assert [*replied()] == []
    assert replied().text() == b""


def test_what_else_a_worker_tells_is_read_beside_the_bytes() -> None:
    found = read(stored(*ROWS))
    parsed = json.loads(stored(*ROWS))
    assert found["result"].pop("rows") == to_json(list(ROWS))[1:-1]
    parsed["result"].pop("rows")
    assert found == parsed
    assert (found["status"], found["task_id"]) == ("SUCCESS", "i.1")


def test_words_in_an_answer_do_not_end_the_rows() -> None:
    sly = answer(80)
    sly["model_version"] = f'{RESULT_COLUMNS.decode()}{{"ends":[]}}\\'
    assert [*as_bytes(sly, sly)] == [sly, sly]


def test_rows_that_were_cut_short_are_no_answer() -> None:
    whole = stored(*ROWS)
    cut = whole.replace(b'"confidence_score":80', b'"confidence_score":8', 1)
    with pytest.raises(ValueError, match="do not fit"):
        Reply.of(read(cut)["result"])


@pytest.mark.parametrize(
    ("name", "lie"),
    [
        ("ends", lambda ends: [ends[0] - 1, *ends[1:]]),
        ("ends", lambda ends: [ends[1], ends[0], *ends[2:]]),
        ("ends", lambda ends: [ends[0], *ends[:1], *ends[2:]]),
        ("confidence", lambda found: found[1:]),
        ("anomaly", lambda found: [*found, 0.5]),
        ("anomalous", lambda found: found[:-1]),
        ("errors", lambda found: found[::-1]),
    ],
)
def test_columns_that_do_not_fit_give_nobody_a_part_of_anothers_answer(
    name: str, lie: Callable[[list[Any]], list[Any]]
) -> None:
    result = read(stored(*ROWS))["result"]
    result["columns"][name] = lie(result["columns"][name])
    with pytest.raises(ValueError, match="do not fit"):
        Reply.of(result)


@pytest.mark.parametrize("broken", [b"", b"{", RESULT_HEAD, RESULT_HEAD + b'],"columns":{}'])
def test_what_is_no_json_is_no_result(broken: bytes) -> None:
    with pytest.raises(ValueError, match="EOF"):
        read(broken)
