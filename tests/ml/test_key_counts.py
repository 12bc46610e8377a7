"""How many keys an error rate tells of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ml.key_counts import MOST, least_keys


@given(st.integers(1, MOST), st.integers(0, MOST), st.integers(6, 15))
def test_a_share_of_whole_keys_tells_its_least_denominator(
    keys: int, wrong: int, decimals: int
) -> None:
    assume(wrong <= keys)
    share = Fraction(wrong, keys)
    assume((share * 10_000).denominator != 1)  # two decimals may have been rounded
    rate = np.array([round(100.0 * wrong / keys, decimals)])
    assert least_keys(rate).tolist() == [share.denominator]


@pytest.mark.parametrize("rate", [0.0, 3.0, 4.5, 3.85, 99.99, 100.0])
def test_a_rate_that_may_have_been_rounded_tells_nothing(rate: float) -> None:
    assert least_keys(np.array([rate])).tolist() == [0]


@pytest.mark.parametrize("rate", [np.nan, np.inf, -np.inf])
def test_a_rate_that_is_no_number_tells_nothing(rate: float) -> None:
    with np.errstate(invalid="ignore"):
        assert least_keys(np.array([rate])).tolist() == [0]


def test_a_rate_in_float32_tells_as_much() -> None:
    rates = np.array([100.0 * 3 / 83, 100.0 * 7 / 211], dtype=np.float32)
    assert least_keys(rates.astype(np.float64)).tolist() == [83, 211]


def test_hardly_a_random_rate_is_taken_for_a_share() -> None:
    rates = np.random.default_rng(0).uniform(0, 30, 20_000)
    assert (least_keys(rates) > 0).mean() < 0.005
