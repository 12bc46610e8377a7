"""From the model's figures to what the client reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic_core import from_json, to_json

from ml.scorer import Scores
from ml.statistics import pool
from tests.worker.batches import NUMBERS, SHARES, brought, compared, pattern, row, scores, window
from worker.answers import IMPORTANCE_STEPS, Settled, sound, steps_of, word
from worker.contract import CHANNELS, Decision, ErrorCode, Provenance, Reason
from worker.enrolment import EnrolmentRule
from worker.judgement import Point, judge
from worker.records import Pattern
from worker.worded import Worded

RULE = EnrolmentRule(75, 0.99)
POINT = Point(80, 20)
RICH = pool(np.array([window(3)], dtype=np.float64))


def told(
    rows: list[Any],
    recorded: list[list[Pattern]],
    found: Scores,
    quota: int = 0,
    provenance: dict[int, Provenance] | None = None,
) -> Worded:
    comparison = compared(rows, recorded, quota)
    named = np.array([each[0] is not None for each in rows])
    judgement = judge(comparison, found, named, RULE, POINT)
    errors = {int(i): ErrorCode.INFERENCE_ERROR for i in np.flatnonzero(~sound(found))}
    return word(
        rows,
        comparison,
        found,
        judgement,
        RULE,
        Settled(judgement.enters.tolist(), errors, provenance or {}),
        version='1.2.3 "5 %d"',
        inference_ms=4.5,
    )


def worded(
    rows: list[Any], recorded: list[list[Pattern]], found: Scores, quota: int = 0
) -> list[Any]:
    return [from_json(each) for each in told(rows, recorded, found, quota).rows]


def past(count: int) -> list[Pattern]:
    return [pattern(k) for k in range(1, count + 1)]


def rich_past(count: int, rich: int) -> list[Pattern]:
    return [pattern(k, RICH if k <= rich else None) for k in range(1, count + 1)]


weights = arrays(np.float64, (3, 6), elements=st.floats(1e-9, 1e9))


@given(weights)
def test_importances_stay_near_what_they_were_and_sum_to_one(drawn: Any) -> None:
    shares = drawn / drawn.sum(axis=1, keepdims=True)
    rounded = steps_of(shares) / IMPORTANCE_STEPS
    assert (rounded >= 0).all()
    assert np.abs(rounded.sum(axis=1) - 1).max() < 1e-12
    assert np.abs(rounded - shares).max() <= 1e-4 + 1e-12


def test_an_answer_carries_every_documented_field_in_the_documented_order() -> None:
    answer = worded([row()], [past(7)], scores([87], [0.12]))[0]
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
    assert (answer["recorded"], answer["decision"], answer["reasons"]) == (True, "accept", [])
    assert type(answer["confidence_score"]) is int
    assert type(answer["recorded"]) is bool


COPY = Pattern(5, (65.0, 120.0, 85.0, 3.0))
PLAIN, WITH, POOR = [NUMBERS], [window(9)], [window(9, 0.05)]


@pytest.mark.parametrize(
    ("given_row", "recorded", "anomaly", "expected"),
    [
        (row(), [], 0.5, ["NO_HISTORY"]),
        (row(), past(1), 0.5, ["SHORT_HISTORY"]),
        (row(brought=brought(4)), [], 0.5, ["SHORT_HISTORY", "HISTORY_FROM_CALLER"]),
        (row(brought=brought(5)), [], 0.5, ["HISTORY_FROM_CALLER"]),
        (row(), past(5), 0.995, ["ANOMALOUS"]),
        (row(), [*past(8), COPY], 0.5, ["REPLAY_SUSPECTED"]),
        (row(windows=PLAIN), past(9), 0.5, ["SESSION_FEATURES_UNUSED"]),
        (row(windows=PLAIN), [], 0.5, ["NO_HISTORY", "SESSION_FEATURES_UNUSED"]),
        (row(windows=WITH), past(9), 0.5, ["SESSION_FEATURES_UNUSED"]),
        (row(windows=POOR), [], 0.5, ["NO_HISTORY", "SESSION_FEATURES_UNUSED"]),
        (row(windows=POOR), rich_past(9, 9), 0.5, ["SESSION_FEATURES_EXPECTED", "SESSION_FEATURES_UNUSED"]),
        (row(), rich_past(9, 5), 0.5, ["SESSION_FEATURES_EXPECTED"]),
        (row(), rich_past(9, 4), 0.5, []),
        (row(windows=WITH), rich_past(9, 9), 0.5, []),
        (row(windows=WITH), [], 0.5, ["NO_HISTORY"]),
        (row(windows=WITH), [*past(8), pattern(9, RICH)], 0.5, []),
        (row(windows=WITH, brought=brought(5, PLAIN)), [], 0.5, ["HISTORY_FROM_CALLER", "SESSION_FEATURES_UNUSED"]),
        (row(windows=WITH, brought=brought(5, [window(2)])), [], 0.5, ["HISTORY_FROM_CALLER"]),
    ],
)  # fmt: skip
def test_each_reason_is_given_when_it_holds_and_only_then(
    given_row: list[Any], recorded: list[Pattern], anomaly: float, expected: list[str]
) -> None:
    (answer,) = worded([given_row], [recorded], scores([50], [anomaly]))
    assert answer["reasons"] == expected


def test_timing_that_nobody_makes_and_updates_kept_back_are_told() -> None:
    (fake,) = worded([row()], [past(9)], scores([90], [0.5], [True]))
    assert (fake["reasons"], fake["confidence_score"]) == (["IMPLAUSIBLE_TIMING"], 10)
    (full,) = worded([row()], [past(9)], scores([90], [0.5]), quota=5)
    assert (full["reasons"], full["confidence_score"]) == (["UPDATE_WITHHELD"], 90)
    assert full["recorded"] is False


def test_no_more_patterns_are_told_and_looked_at_than_the_model_weighs() -> None:
    late = [*past(50), *(pattern(k, RICH) for k in range(51, 56))]
    (answer,) = worded([row(windows=WITH)], [late], scores([50], [0.5]))
    assert answer["history_used"] == 50
    assert answer["reasons"] == ["SESSION_FEATURES_UNUSED"]
    many = brought(60)
    for entry in many[50:]:
        entry[5] = [window(2)]
    (answer,) = worded([row(brought=many, windows=WITH)], [[]], scores([50], [0.5]))
    assert answer["history_used"] == 50
    assert answer["reasons"] == ["HISTORY_FROM_CALLER", "SESSION_FEATURES_UNUSED"]


def test_every_code_of_an_answer_is_a_known_one() -> None:
    rows = [row(), row(windows=PLAIN), row(brought=brought(3))]
    answers = worded(rows, [[], past(9), []], scores([50, 99, 1], [0.5, 0.999, 0.2]))
    assert {reason for answer in answers for reason in answer["reasons"]} <= set(Reason)
    assert {answer["decision"] for answer in answers} == set(Decision)


def test_a_row_that_cannot_be_expressed_fails_alone() -> None:
    found = worded([row(), row("bb")], [[], []], scores([50, 50], [float("nan"), 0.5]))
    assert found[0] == {"error": "INFERENCE_ERROR"}
    assert found[1]["confidence_score"] == 50


def test_what_is_worded_is_what_a_dictionary_of_it_would_be_byte_for_byte() -> None:
    count = 20_000
    draw = np.random.default_rng(5)
    shares = draw.dirichlet(np.full(6, 0.2), count)
    shares[:6] = np.eye(6)
    anomaly = draw.choice([0.0, 1.0, 0.00005, 0.00015, 1e-5, 0.99995, -1.0], count)
    anomaly = np.where(anomaly < 0, draw.uniform(0, 1, count), anomaly)
    found = Scores(draw.integers(0, 101, count), anomaly, shares, np.zeros(count, np.bool_))
    written = told([row()] * count, [[]] * count, found)
    steps = steps_of(shares) / IMPORTANCE_STEPS
    for i, text in enumerate(written.rows):
        answer = from_json(text)
        assert to_json(answer) == text
        assert answer["confidence_score"] == found.confidence[i] == written.confidence[i]
        assert answer["anomaly_score"] == round(float(anomaly[i]), 4) == written.anomaly[i]
        assert answer["feature_importance"] == dict(zip(CHANNELS, steps[i].tolist(), strict=True))
        assert written.anomalous[i] == (Reason.ANOMALOUS in answer["reasons"])
    assert answer["model_version"] == '1.2.3 "5 %d"'
    assert answer["inference_time_ms"] == 4.5


def test_where_a_score_came_from_is_told_last_and_of_the_chains_questions_only() -> None:
    origin = Provenance(model="ab" * 32, history="cd" * 32)
    written = told([row(), row()], [past(7), past(7)], scores([87, 87], [0.1, 0.1]), 0, {1: origin})
    plain, asked = map(from_json, written.rows)
    assert asked == {**plain, "provenance": origin}
    assert list(asked) == [*plain, "provenance"]


def test_what_is_counted_of_answers_leaves_errors_out() -> None:
    found = scores([87, 50, 3], [0.1, float("nan"), 0.995])
    written = told([row(), row("bb"), row("cc")], [past(7), [], past(5)], found)
    assert (written.scored, dict(written.errors)) == (2, {1: "INFERENCE_ERROR"})
    assert written.confidence == [87, 0, 3]
    assert written.anomalous == [0, 0, 1]
    assert written.decisions() == {"accept": 1, "reject": 1}
    assert written.told() == {"ANOMALOUS": 1}
