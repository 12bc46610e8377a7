"""Which patterns enter a history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.registry import manifest
from worker.enrolment import SHORT_HISTORY, EnrolmentRule
from worker.settings import WorkerSettings

RULE = EnrolmentRule(update_confidence=75, update_anomaly=0.99)
SHIPPED = Path(__file__).resolve().parents[2] / "models" / "production" / "model.pth"


def admitted(rule: EnrolmentRule, confidence: int, anomaly: float, recorded: int) -> bool:
    found = rule.admits(np.array([confidence]), np.array([anomaly]), np.array([recorded]))
    return bool(found[0])


@pytest.mark.parametrize(
    ("confidence", "anomaly", "recorded", "enters"),
    [
        (50, 0.5, 0, True),  # the first pattern of a DID: no evidence either way
        (50, 0.5, 1, False),
        (74, 0.5, 1, False),  # accepted, yet not good enough to learn from
        (75, 0.5, 1, True),
        (99, 0.99, 50, True),
        (99, 0.991, 50, False),
        (50, 1.0, 0, False),
        (50, float("nan"), 0, False),
    ],
)
def test_the_thresholds_hold_on_both_sides(
    confidence: int, anomaly: float, recorded: int, enters: bool
) -> None:
    assert admitted(RULE, confidence, anomaly, recorded) is enters


@pytest.mark.parametrize(
    ("confidence", "recorded", "enters"),
    [(75, 4, True), (75, 5, False), (91, 5, False), (92, 5, True), (92, 50, True)],
)
def test_from_five_patterns_on_only_what_the_secure_point_accepts_enters(
    confidence: int, recorded: int, enters: bool
) -> None:
    assert admitted(RULE.above(92, 66), confidence, 0.5, recorded) is enters


def test_a_secure_point_below_the_update_threshold_lowers_nothing() -> None:
    assert not admitted(RULE.above(60, 66), 74, 0.5, 9)


@given(
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 100),
    st.floats(0, 1),
    st.integers(1, 50),
)
def test_no_pattern_enters_below_what_the_models_thresholds_ask(
    secure: int, equal_error: int, confidence: int, anomaly: float, recorded: int
) -> None:
    enters = admitted(RULE.above(secure, equal_error), confidence, anomaly, recorded)
    assert not (enters and confidence <= equal_error)
    assert not (enters and recorded >= SHORT_HISTORY and confidence < secure)


def test_the_default_update_threshold_is_stricter_than_the_shipped_models_acceptance() -> None:
    acceptance = manifest(SHIPPED).thresholds["equal_error"]["confidence"]
    assert WorkerSettings(_env_file=None).update_confidence > acceptance
