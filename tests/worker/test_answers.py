"""From the model's figures to what the client reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.scorer import Scores
from worker.answers import Past, error_rows, in_steps, reasons, word
from worker.contract import CHANNELS, ErrorCode
from worker.enrolment import EnrolmentRule

RULE = EnrolmentRule(75, 0.99)
SHARES = np.array([0.1, 0.2, 0.3, 0.25, 0.1, 0.05])
ROW = ["ab", [65, 120, 85, 3, 14], None, None]


def past(n: int, source: str) -> Past:
    return Past([(65.0, 120.0, 85.0, 3.0)] * n, source)


def scores(confidence: list[int], anomaly: list[float]) -> Scores:
    shares = np.tile(SHARES, (len(anomaly), 1))
    nowhere = np.zeros(len(anomaly), dtype=bool)
    return Scores(np.array(confidence), np.array(anomaly), shares, nowhere)


def worded(rows: list[Any], pasts: list[Past], found: Scores) -> list[Any]:
    return word(rows, pasts, found, RULE, version="1.2.3", inference_ms=4.5)


weights = arrays(np.float64, (3, 6), elements=st.floats(1e-9, 1e9))


@given(weights)
def test_importances_stay_near_what_they_were_and_sum_to_one(drawn: Any) -> None:
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    rounded = np.array(in_steps(shares))
    assert (rounded >= 0).all()
    assert np.abs(rounded.sum(axis=1) - 1).max() < 1e-12
    assert np.abs(rounded - shares).max() <= 1e-4 + 1e-12


def test_an_answer_carries_every_documented_field_in_the_documented_order() -> None:
    answer = worded([ROW], [past(7, "server")], scores([87], [0.12]))[0]
    assert list(answer)[:5] == [
        "confidence_score",
        "anomaly_score",
        "feature_importance",
        "model_version",
        "inference_time_ms",
    ]
    assert answer["feature_importance"] == dict(zip(CHANNELS, SHARES.tolist(), strict=True))
    assert (answer["confidence_score"], answer["anomaly_score"]) == (87, 0.12)
    assert (answer["history_used"], answer["history_source"]) == (7, "server")
    assert (answer["recorded"], answer["reasons"]) == (True, [])
    assert type(answer["confidence_score"]) is int


@pytest.mark.parametrize(
    ("row", "history", "anomaly", "expected"),
    [
        (ROW, past(0, "none"), 0.5, ["NO_HISTORY"]),
        (ROW, past(1, "server"), 0.5, ["SHORT_HISTORY"]),
        (ROW, past(4, "caller"), 0.5, ["SHORT_HISTORY", "HISTORY_FROM_CALLER"]),
        (ROW, past(5, "caller"), 0.5, ["HISTORY_FROM_CALLER"]),
        (ROW, past(5, "server"), 0.995, ["ANOMALOUS"]),
        ([*ROW[:3], [[65, 1, 1, 1]]], past(9, "server"), 0.5, ["SESSION_FEATURES_UNUSED"]),
    ],
)
def test_each_reason_is_given_when_it_holds_and_only_then(
    row: list[Any], history: Past, anomaly: float, expected: list[str]
) -> None:
    assert reasons(row, history, anomaly, RULE) == expected


def test_a_row_without_a_name_is_never_recorded() -> None:
    nameless = [None, *ROW[1:]]
    found = worded([nameless, ROW], [past(0, "none")] * 2, scores([99, 99], [0.1, 0.1]))
    assert [answer["recorded"] for answer in found] == [False, True]


def test_a_callers_history_counts_as_nothing_recorded() -> None:
    found = worded(
        [ROW, ROW], [past(50, "caller"), past(50, "server")], scores([40] * 2, [0.1] * 2)
    )
    assert [answer["recorded"] for answer in found] == [True, False]


def test_a_row_that_cannot_be_expressed_fails_alone() -> None:
    broken = scores([50, 50], [float("nan"), 0.5])
    found = worded([ROW, ROW], [past(0, "none")] * 2, broken)
    assert found[0] == {"error": "INFERENCE_ERROR"}
    assert found[1]["confidence_score"] == 50


def test_a_refused_message_has_one_error_a_row() -> None:
    rows = error_rows([ROW] * 3, ErrorCode.DEADLINE_EXCEEDED)
    assert rows == [{"error": "DEADLINE_EXCEEDED"}] * 3
