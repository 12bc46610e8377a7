"""Which patterns enter a history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.enrolment import EnrolmentRule
from worker.settings import WorkerSettings

RULE = EnrolmentRule(patterns=5, enrolment_confidence=30, update_confidence=75, update_anomaly=0.99)
ACCEPTANCE = 50  # more likely the user than anybody else


@pytest.mark.parametrize(
    ("confidence", "anomaly", "recorded", "admitted"),
    [
        (50, 0.5, 0, True),  # the first pattern of a DID: no evidence either way
        (30, 0.5, 4, True),
        (29, 0.5, 4, False),
        (74, 0.5, 5, False),  # accepted, yet not good enough to learn from
        (75, 0.5, 5, True),
        (99, 0.99, 50, True),
        (99, 0.991, 50, False),
        (50, 1.0, 0, False),
    ],
)
def test_the_thresholds_hold_on_both_sides(
    confidence: int, anomaly: float, recorded: int, admitted: bool
) -> None:
    assert RULE.admits(confidence, anomaly, recorded) is admitted


@given(st.integers(0, ACCEPTANCE), st.floats(0, 1), st.integers(5, 50))
def test_an_enrolled_did_never_learns_from_a_pattern_that_is_barely_accepted(
    confidence: int, anomaly: float, recorded: int
) -> None:
    assert not RULE.admits(confidence, anomaly, recorded)


def test_the_default_update_threshold_is_stricter_than_acceptance() -> None:
    settings = WorkerSettings(_env_file=None)
    assert settings.update_confidence > ACCEPTANCE
