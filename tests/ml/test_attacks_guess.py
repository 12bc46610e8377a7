from __future__ import annotations

import numpy as np
import pytest

from ml.attacks_guess import guess_at, k_means, population_guess, stolen
from ml.dataset import SessionTable
from ml.protocol import first_sessions
from ml.scorer import Scorer
from tests.ml.attacked_service import service_of


def test_clusters_that_lie_apart_are_found() -> None:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    truth = rng.integers(0, 3, 200)
    found = k_means(centres[truth] + rng.normal(0, 1, (200, 2)), 3, rng)
    for group in range(3):
        assert len(set(found[truth == group])) == 1
    assert len(set(found)) == 3


def test_as_many_points_as_centres_are_their_own() -> None:
    points = np.arange(8.0).reshape(4, 2)
    assert sorted(k_means(points, 4, np.random.default_rng(1))) == [0, 1, 2, 3]
    assert len(k_means(np.zeros((5, 2)), 3, np.random.default_rng(2))) == 5


@pytest.mark.parametrize("rich", [False, True])
def test_a_person_is_broken_or_not_by_ten_guesses(
    shipped: Scorer, crowd: SessionTable, rich: bool
) -> None:
    people = first_sessions(crowd.rows(crowd.user < 60), 8, rich)
    others = crowd.rows(crowd.user >= 60)
    broken = population_guess(service_of(shipped), people, others, np.random.default_rng(3))
    assert set(broken) <= {0.0, 1.0}
    assert broken.mean() < 0.9


def test_nobody_is_guessed_at_from_their_own_sessions(shipped: Scorer, crowd: SessionTable) -> None:
    service, people = service_of(shipped), first_sessions(crowd, 8, True)
    found = guess_at(service, people, crowd, None, np.random.default_rng(5))
    victims = people.people(np.arange(0, 120, 2))
    others = crowd.rows(~np.isin(crowd.user, victims.user))
    assert found is not None
    assert np.array_equal(
        found, population_guess(service, victims, others, np.random.default_rng(5))
    )


def test_a_handful_of_people_leaves_nobody_to_guess_from(
    shipped: Scorer, crowd: SessionTable
) -> None:
    few = first_sessions(crowd.rows(crowd.user < 19), 8, True)
    assert guess_at(service_of(shipped), few, crowd, None, np.random.default_rng(5)) is None


def test_more_stolen_sessions_and_less_noise_get_further(
    shipped: Scorer, crowd: SessionTable
) -> None:
    people = first_sessions(crowd, 8, True)

    def rate(sessions: int, noise: float) -> float:
        rng = np.random.default_rng(4)
        return float(stolen(service_of(shipped), people, sessions, noise, rng).mean())

    assert rate(8, 1.0) > rate(1, 1.0) - 0.02
    assert rate(8, 0.3) > rate(8, 3.0) + 0.1
