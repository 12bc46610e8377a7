"""How many keys an error rate tells of."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ml.key_counts import MOST, TOLERANCE, least_keys


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


def tried(rate: float) -> int:
    """The same by trying every number of keys."""
    if abs(100.0 * rate - round(100.0 * rate)) <= 100.0 * TOLERANCE:
        return 0
    for keys in range(1, MOST + 1):
        wrong = round(rate * keys / 100.0)
        if abs(rate * keys - 100.0 * wrong) <= TOLERANCE * keys:
            return keys
    return 0


@given(st.floats(0, 100) | st.builds(lambda a, b: 100.0 * a / (a + b), *[st.integers(1, 300)] * 2))
def test_the_nearest_share_is_what_trying_every_number_of_keys_finds(rate: float) -> None:
    assert least_keys(np.array([rate])).tolist() == [tried(rate)]


@pytest.mark.parametrize("rate", [np.nan, np.inf, -np.inf, -3.614457831, 119.0265487])
def test_a_rate_that_is_no_share_tells_nothing(rate: float) -> None:
    with np.errstate(invalid="ignore"):
        assert least_keys(np.array([rate])).tolist() == [0]


def test_a_rate_in_float32_tells_as_much() -> None:
    rates = np.array([100.0 * 3 / 83, 100.0 * 7 / 211], dtype=np.float32)
    assert least_keys(rates.astype(np.float64)).tolist() == [83, 211]


def test_hardly_a_random_rate_is_taken_for_a_share() -> None:
    rates = np.random.default_rng(0).uniform(0, 30, 20_000)
    assert (least_keys(rates) > 0).mean() < 0.005
