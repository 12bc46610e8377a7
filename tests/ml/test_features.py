from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.features import even, numbers, summary


@given(st.floats(1, 400), st.floats(1, 5_000), st.floats(-1_000, 10_000), st.floats(0, 100))
def test_each_feature_is_its_documented_formula(
    speed: float, hold: float, transition: float, errors: float
) -> None:
    gap = math.log(max(hold + transition, 20.0))
    expected = [
        math.asinh(20 * (math.log(12_000 / speed) - gap)),
        math.log(hold),
        gap,
        math.sqrt(errors),
        math.log(speed / (errors + 1)),
        math.atan2(hold, transition),
    ]
    found = even(np.array([speed, hold, transition, errors]))
    assert found.tolist() == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_the_least_allowed_numbers_give_finite_features() -> None:
    assert np.isfinite(even(np.array([0.0, 0.0, -1_000.0, 0.0]))).all()
    assert np.isfinite(even(np.zeros(4))).all()


def test_padding_of_any_finite_value_gives_finite_features() -> None:
    assert np.isfinite(even(np.full((2, 3, 4), -1e300))).all()


def test_the_rhythm_feature_has_no_jump_where_a_transition_changes_its_sign() -> None:
    before, after = even(np.array([[60.0, 100.0, -1e-9, 0.0], [60.0, 100.0, 1e-9, 0.0]]))
    assert np.abs(after - before).max() < 1e-8


def test_every_axis_but_the_last_is_kept() -> None:
    assert even(np.ones((5, 7, 4))).shape == (5, 7, 6)


@given(st.floats(5, 400), st.floats(5, 1_000), st.floats(20, 1_000), st.floats(0, 100))
def test_the_four_numbers_follow_from_the_first_four_features(
    speed: float, hold: float, transition: float, errors: float
) -> None:
    given_ = np.array([[speed, hold, transition, errors]])
    assert numbers(summary(given_)) == pytest.approx(given_, rel=1e-6, abs=1e-6)
