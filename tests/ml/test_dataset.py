from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.dataset import SessionTable, concatenate_people, concatenate_rows, held_out


def table(users: list[int], seconds: list[int]) -> SessionTable:
    features = np.arange(4.0 * len(users)).reshape(-1, 4)
    return SessionTable(np.array(users), np.array(seconds), features)


def test_each_users_sessions_come_in_order_of_time() -> None:
    mixed = table([7, 3, 7, 3], [20, 5, 10, 6])
    first, second = mixed.by_user()
    assert first.tolist() == mixed.features[[1, 3]].tolist()
    assert second.tolist() == mixed.features[[2, 0]].tolist()


def test_an_empty_table_has_no_users() -> None:
    assert list(table([], []).by_user()) == []


def test_concatenated_people_share_no_number() -> None:
    joined = concatenate_people([table([5, 5, 9], [0, 1, 2]), table([5, 6], [3, 4])])
    assert joined.user.tolist() == [0, 0, 1, 2, 3]
    assert joined.unix_seconds.tolist() == [0, 1, 2, 3, 4]


def test_concatenated_rows_keep_their_users() -> None:
    joined = concatenate_rows([table([5, 9], [0, 1]), table([5], [2])])
    assert joined.user.tolist() == [5, 9, 5]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="as many rows"):
        SessionTable(np.arange(3), np.arange(2), np.zeros((3, 4)))


@given(st.lists(st.integers(0, 2**62), min_size=1, max_size=50), st.integers(0, 1_000))
def test_a_user_is_held_out_or_not_whatever_else_the_table_holds(
    users: list[int], seed: int
) -> None:
    together = held_out(np.array(users), 0.3, seed)
    for user, side in zip(users, together, strict=True):
        assert held_out(np.array([user]), 0.3, seed)[0] == side


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_about_the_asked_share_of_users_is_held_out(share: float) -> None:
    assert held_out(np.arange(20_000), share).mean() == pytest.approx(share, abs=0.02)


def test_another_seed_holds_other_users_out() -> None:
    users = np.arange(10_000)
    both = held_out(users, 0.5, 0) & held_out(users, 0.5, 1)
    assert both.mean() == pytest.approx(0.25, abs=0.03)
