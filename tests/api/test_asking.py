from __future__ import annotations

import json
from typing import Any

import pytest

from api.asking import Asking
from api.errors import HistoryUnavailableError, InternalError, InvalidInputError
from api.identity import Identities
from api.metrics import ApiMetrics
from api.reply import Reply
from api.rows import Reader
from tests.api.front import HASH_KEY, NOW, request_body
from tests.api.known_answer import known_answer
from worker.contract import ErrorCode, Reason, RowError

FAILED = RowError(error=ErrorCode.HISTORY_UNAVAILABLE)


def asking(*, batch: bool) -> Asking:
    return Asking("/some", batch, Reader(Identities(HASH_KEY)), ApiMetrics())


def body(*dids: str, batch: bool) -> bytes:
    items = [request_body(did=did) for did in dids]
    return json.dumps(items if batch else items[0]).encode()


def counted(asked: Asking) -> float | None:
    return asked.metrics.registry.get_sample_value("biometrics_confidence_score_count")


def test_one_session_is_one_row_and_its_answer_is_the_workers() -> None:
    one = asking(batch=False)
    rows = one.read(body("0x1", batch=False), NOW)
    answer = known_answer(rows[0])
    assert json.loads(one.word(rows, Reply.worded([answer]))) == answer
    assert counted(one) == 1


def test_a_batch_is_answered_with_a_list_in_its_order() -> None:
    many = asking(batch=True)
    rows = many.read(body("0x1", "0x2...", batch=True), NOW)
    answers: list[Any] = [known_answer(row) for row in rows]
    plain, shortened = json.loads(many.word(rows, Reply.worded(answers)))
    assert plain == answers[0]
    assert shortened["reasons"] == [Reason.DID_ABBREVIATED, *answers[1]["reasons"]]
    assert counted(many) == 2


def test_a_batch_of_one_is_a_list_too() -> None:
    many = asking(batch=True)
    rows = many.read(body("0x1", batch=True), NOW)
    assert len(json.loads(many.word(rows, Reply.worded([known_answer(rows[0])])))) == 1


@pytest.mark.parametrize("batch", [False, True])
def test_a_row_that_failed_fails_its_request_and_nothing_is_counted(batch: bool) -> None:
    asked = asking(batch=batch)
    rows = asked.read(body("0x1", batch=batch), NOW)
    with pytest.raises(HistoryUnavailableError) as caught:
        asked.word(rows, Reply.worded([FAILED]))
    assert caught.value.detail.startswith("item 0: ") == batch
    assert counted(asked) == 0


def test_an_answer_too_many_is_the_services_own_error() -> None:
    one = asking(batch=False)
    rows = one.read(body("0x1", batch=False), NOW)
    with pytest.raises(InternalError):
        one.word(rows, Reply.worded([known_answer(rows[0])] * 2))


def test_the_other_routes_body_is_refused() -> None:
    for batch in (False, True):
        with pytest.raises(InvalidInputError):
            asking(batch=batch).read(body("0x1", batch=not batch), NOW)
