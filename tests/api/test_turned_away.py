from __future__ import annotations

import json

from api.errors import OverloadedError
from api.turned_away import KEPT, TurnedAway

DATE = [(b"date", b"today")]


def test_a_refusal_is_a_whole_answer_in_the_documented_form() -> None:
    answer = TurnedAway().answer(OverloadedError("too many"), "/predict", DATE)
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 503 Service Unavailable"
    assert {b"date: today", b"retry-after: 1", b"content-length: %d" % len(body)} <= set(lines)
    assert json.loads(body) == {
        "detail": "too many",
        "error_code": "OVERLOADED",
        "path": "/predict",
    }


def test_it_is_worded_once_for_a_date_a_reason_and_a_path() -> None:
    made = TurnedAway()
    first = made.answer(OverloadedError("too many"), "/predict", DATE)
    assert made.answer(OverloadedError("too many"), "/predict", DATE) is first
    assert b'"path":"/batch-predict"' in made.answer(OverloadedError(), "/batch-predict", DATE)
    assert b'"detail":"too late"' in made.answer(OverloadedError("too late"), "/predict", DATE)
    assert b"date: tomorrow" in made.answer(
        OverloadedError("too many"), "/predict", [(b"date", b"tomorrow")]
    )


def test_reasons_without_end_are_not_kept_without_end() -> None:
    made = TurnedAway()
    for number in range(3 * KEPT):
        answer = made.answer(OverloadedError(f"{number} wait"), "/predict", DATE)
        assert b'"%d wait"' % number in answer
    assert len(made._answers) <= KEPT
