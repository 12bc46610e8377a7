"""What the service makes of scores: decisions, caps, and what enters a history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.registry import load
from ml.statistics import pool
from tests.worker.batches import NOW, NUMBERS, brought, compared, pattern, row, scores, window
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.judgement import MOST_OF_A_FAKE, Judgement, Point, judge
from worker.records import Pattern, pack_derived

RULE = EnrolmentRule(75, 0.99)
POINT = Point(80, 20)
MODEL = Path(__file__).resolve().parents[2] / "models" / "production" / "model.pth"
COPY = Pattern(5, (65.0, 120.0, 85.0, 3.0))


def past(count: int) -> list[Pattern]:
    return [pattern(k) for k in range(1, count + 1)]


def judged(
    confidence: int,
    recorded: list[Pattern],
    *,
    given_row: list[Any] | None = None,
    anomaly: float = 0.5,
    implausible: bool = False,
    rule: EnrolmentRule = RULE,
    quota: int = 0,
) -> Judgement:
    asked = given_row or row()
    comparison = compared([asked], [recorded], quota)
    found = scores([confidence], [anomaly], [implausible])
    return judge(comparison, found, np.array([asked[0] is not None]), rule, POINT)


@pytest.mark.parametrize(
    ("confidence", "recorded", "implausible", "decision"),
    [
        (80, past(9), False, "accept"),
        (79, past(9), False, "review"),
        (20, past(9), False, "review"),
        (19, past(9), False, "reject"),
        (99, [], False, "review"),
        (1, [], False, "review"),
        (50, [], True, "reject"),
        (99, past(9), True, "reject"),
        (99, [*past(8), COPY], False, "reject"),
    ],
)
def test_a_decision_follows_from_the_point_and_from_what_blocks(
    confidence: int, recorded: list[Pattern], implausible: bool, decision: str
) -> None:
    assert judged(confidence, recorded, implausible=implausible).decision == [decision]


def test_a_callers_history_can_be_accepted() -> None:
    assert judged(90, [], given_row=row(brought=brought(9))).decision == ["accept"]


@given(st.integers(0, 100), st.booleans(), st.booleans())
def test_a_fake_never_has_more_than_the_cap_and_all_else_keeps_its_score(
    confidence: int, implausible: bool, copied: bool
) -> None:
    found = judged(confidence, [*past(8), COPY] if copied else past(9), implausible=implausible)
    fake = implausible or copied
    assert found.confidence[0] == (min(confidence, MOST_OF_A_FAKE) if fake else confidence)
    assert not (fake and found.enters[0])
    assert not (fake and found.withheld[0])


def test_a_rich_copy_is_found_in_what_the_store_rounded() -> None:
    windows = [window(1), window(2)]
    derived = pool(np.array(windows, dtype=np.float64))
    stored = Pattern(int(NOW) - 9000, (40.0, 150.0, 60.0, 1.0), 9, pack_derived(derived[None])[0])
    found = judged(90, [*past(5), stored], given_row=row(windows=windows))
    assert found.replayed.tolist() == [True]
    other = judged(90, [*past(5), stored], given_row=row(windows=[window(3), window(4)]))
    assert other.replayed.tolist() == [False]


def test_a_copy_of_what_the_caller_brings_is_a_copy() -> None:
    own = [[NOW - 60, *NUMBERS, None], *brought(4)]
    assert judged(90, [], given_row=row(brought=own)).replayed.tolist() == [True]


def test_a_pattern_enters_unless_its_history_is_full_for_the_day() -> None:
    assert judged(90, past(9), quota=9).enters.tolist() == [False]
    assert judged(90, past(9), quota=9).withheld.tolist() == [True]
    assert judged(90, past(9), quota=10).enters.tolist() == [True]


def test_what_would_not_enter_anyway_is_not_said_to_be_withheld() -> None:
    for each in (judged(60, past(9), quota=9), judged(90, past(9), anomaly=0.999, quota=9)):
        assert not each.withheld[0]
        assert not each.enters[0]


def test_a_walk_in_one_direction_is_not_learned_and_keeps_its_score() -> None:
    walk = [
        Pattern(int(NOW) - 3600 * k, (65.0 - 1.5 * k, 120.0 + 3 * k, 85.0 + 3 * k, 3.0), 9)
        for k in range(1, 11)
    ]
    led = judged(90, walk)
    assert (led.enters[0], led.withheld[0], led.confidence[0]) == (False, True, 90)
    assert led.decision == ["accept"]
    scattered = [walk[k] for k in (4, 0, 7, 2, 9, 5, 1, 8, 3, 6)]
    assert judged(90, scattered).enters[0]


def test_a_history_that_took_nothing_for_a_week_takes_one_step_of_a_walk() -> None:
    def walk(days: float) -> list[Pattern]:
        age = int(days * 86_400)
        return [
            Pattern(int(NOW) - age - k, (65.0 - 1.5 * k, 120.0 + 3 * k, 85.0 + 3 * k, 3.0), 9)
            for k in range(1, 11)
        ]

    assert judged(90, walk(6.9)).withheld[0]
    found = judged(90, walk(7))
    assert (found.enters[0], found.withheld[0]) == (True, False)
    assert judged(90, walk(-7)).withheld[0]  # a backlog older than its history
    assert not judged(60, walk(7)).enters[0]


@pytest.mark.parametrize("windows", [None, [NUMBERS], [window(1, 0.05)]])
def test_leaving_out_what_the_history_has_is_reviewed_and_not_recorded(windows: Any) -> None:
    rich = pool(np.array([window(3)], dtype=np.float64))
    recorded = [pattern(k, rich if k > 4 else None) for k in range(1, 10)]
    found = judged(99, recorded, given_row=row(windows=windows))
    assert (found.decision, found.enters[0], found.withheld[0]) == (["review"], False, False)
    assert found.expected[0]
    assert judged(10, recorded, given_row=row(windows=windows)).decision == ["reject"]
    own = judged(99, recorded, given_row=row(windows=[window(1)]))
    assert (own.decision, own.expected[0]) == (["accept"], False)


def test_a_pattern_of_nobody_never_enters() -> None:
    found = judged(99, [], given_row=row(None))
    assert not found.enters[0]
    assert not found.withheld[0]


def test_a_callers_history_counts_as_nothing_recorded() -> None:
    assert judged(40, [], given_row=row(brought=brought(9))).enters[0]
    assert not judged(40, past(9)).enters[0]


@pytest.mark.parametrize("name", ["convenient", "balanced", "secure"])
def test_the_shipped_model_has_every_point_that_can_be_set(name: str) -> None:
    scorer = load(MODEL)
    held = HeldModel(scorer, 66, scorer.model.operating_points["secure"].threshold)
    point = held.point(name)
    assert 0 <= point.reject_below <= 50 < point.accept <= 100
    assert held.rule(RULE).grown_confidence > held.point("balanced").accept
