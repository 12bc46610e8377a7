from __future__ import annotations

import numpy as np
import pytest

from ml.aalto import aalto
from ml.rich_population import fit
from ml.statistics import COUNT_OF, COUNTED, DERIVED, VALUES, WINDOWS
from ml.synthetic import SHARE_OF_WINDOWS, people


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
    table = people(aalto(), np.full(2_000, 15), np.random.default_rng(2))
    one = table.derived_rows()[:, WINDOWS] == 1
    keys = table.features[one, 3] * table.derived_rows()[one, COUNTED.start] / 100
    assert np.allclose(keys, np.round(keys))
    assert (keys < 0.5).mean() == pytest.approx(0.36, abs=0.06)  # as measured


def test_sessions_have_windows_counts_and_missing_statistics() -> None:
    table = people(aalto(), np.full(400, 15), np.random.default_rng(3))
    derived = table.derived_rows()
    assert derived.shape == (6_000, DERIVED)
    for windows, share in enumerate(SHARE_OF_WINDOWS, start=1):
        assert (derived[:, WINDOWS] == windows).mean() == pytest.approx(share, abs=0.02)
    absent = derived[:, VALUES] == 0
    assert np.array_equal(absent, derived[:, COUNTED][:, COUNT_OF[4:]] == 0)
    assert 0.01 < absent.mean() < 0.3


def test_figures_measured_on_synthetic_people_are_those_they_were_drawn_from() -> None:
    drawn = aalto().population
    found = fit(people(aalto(), np.full(600, 12), np.random.default_rng(4)))
    assert found.centre == pytest.approx(drawn.centre, abs=0.3)  # shares are cut at 0 and 1
    ratio = found.scale / drawn.scale
    assert np.median(ratio) == pytest.approx(1.0, abs=0.1)
    inside = np.diag(found.between) * ratio**2 / np.diag(drawn.between)
    assert np.median(inside) == pytest.approx(1.0, abs=0.2)


def test_people_differ_in_how_much_they_vary() -> None:
    table = people(aalto(), np.full(600, 40), np.random.default_rng(4))
    own = np.log(np.log(table.features[:, 1]).reshape(600, 40).var(axis=1))
    assert own.std() > 0.45  # 0.23 would be chance alone
