from __future__ import annotations

import numpy as np
import pytest

from ml.aalto import aalto
from ml.keystrokes import WORD_MS
from ml.synthetic import numbers, people


def test_everybody_gets_as_many_sessions_as_asked_in_order_of_time() -> None:
    table = people(aalto(), np.array([3, 1, 5]), np.random.default_rng(0))
    assert table.user.tolist() == [0, 0, 0, 1, 2, 2, 2, 2, 2]
    for user in range(3):
        assert (np.diff(table.unix_seconds[table.user == user]) > 0).all()


def test_the_same_seed_gives_the_same_people() -> None:
    first, second = (people(aalto(), np.full(5, 4), np.random.default_rng(9)) for _ in range(2))
    assert first.features.tobytes() == second.features.tobytes()
    assert first.unix_seconds.tolist() == second.unix_seconds.tolist()


def test_the_numbers_lie_in_the_ranges_of_a_request() -> None:
    table = people(aalto(), np.full(500, 20), np.random.default_rng(1))
    assert (table.features >= [0, 0, -1_000, 0]).all()
    assert (table.features <= [400, 5_000, 10_000, 100]).all()


def test_errors_come_in_whole_keys_and_often_there_are_none() -> None:
    errors = people(aalto(), np.full(2_000, 15), np.random.default_rng(2)).features[:, 3]
    keys = errors * 48 / 100
    assert np.allclose(keys, np.round(keys))
    assert (errors == 0).mean() == pytest.approx(0.36, abs=0.03)  # as measured


def test_quantities_and_numbers_are_the_same_session() -> None:
    quantity = np.array([[np.log(100.0), np.log(250.0), 0.1, 2.5]])
    speed, hold, transition, errors = numbers(quantity)[0]
    assert hold == pytest.approx(100.0)
    assert transition == pytest.approx(150.0)
    assert WORD_MS / speed == pytest.approx(250.0 * np.exp(0.1))
    assert errors == pytest.approx(6.25)  # 3 of 48 keys


def test_a_person_varies_less_than_people_do() -> None:
    table = people(aalto(), np.full(400, 12), np.random.default_rng(3))
    hold = np.log(table.features[:, 1]).reshape(400, 12)
    assert hold.var(axis=1, ddof=1).mean() == pytest.approx(0.00485, rel=0.15)
    assert hold.mean(axis=1).var() == pytest.approx(0.0399, rel=0.2)


def test_people_differ_in_how_much_they_vary() -> None:
    table = people(aalto(), np.full(600, 40), np.random.default_rng(4))
    own = np.log(np.log(table.features[:, 1]).reshape(600, 40).var(axis=1))
    assert own.std() > 0.45  # 0.23 would be chance alone
