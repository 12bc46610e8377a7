from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.coalitions import COALITIONS, PLAYERS, members, shapley_weights


def by_all_orders(value: list[float]) -> list[float]:
    """The definition: what each player adds on arrival, averaged over all 720 orders of arrival."""
    gained = [0.0] * PLAYERS
    orders = list(permutations(range(PLAYERS)))
    for order in orders:
        present = 0
        for player in order:
            gained[player] += value[present | 1 << player] - value[present]
            present |= 1 << player
    return [sum_ / len(orders) for sum_ in gained]


@given(st.lists(st.floats(-100, 100), min_size=COALITIONS, max_size=COALITIONS))
def test_the_weights_give_the_mean_over_all_orders_of_arrival(value: list[float]) -> None:
    found = shapley_weights() @ np.array(value)
    assert found.tolist() == pytest.approx(by_all_orders(value), abs=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=COALITIONS, max_size=COALITIONS))
def test_the_shares_sum_to_what_all_reach_over_nobody(value: list[float]) -> None:
    shares = shapley_weights() @ np.array(value)
    assert shares.sum() == pytest.approx(value[-1] - value[0], abs=1e-9)


def test_coalition_numbers_are_bit_masks_of_their_members() -> None:
    inside = members()
    assert inside.shape == (COALITIONS, PLAYERS)
    assert not inside[0].any()
    assert inside[-1].all()
    assert np.flatnonzero(inside[0b100101]).tolist() == [0, 2, 5]
