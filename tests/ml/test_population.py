from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.features import even
from ml.population import DAMPING, Population, fit


def test_the_within_covariance_is_that_of_deviations_from_each_persons_mean(
    crowd: SessionTable, population: Population
) -> None:
    total, freedom = np.zeros((6, 6)), 0
    for user in crowd.users():
        own = even(crowd.features[crowd.user == user])
        for session in own:
            away = session - own.mean(axis=0)
            total += np.outer(away, away)
        freedom += len(own) - 1
    expected = total / freedom
    damped = expected * np.where(np.eye(6) > 0, 1.0, 1 - DAMPING)
    assert np.allclose(population.within, damped)


def test_what_people_share_and_what_tells_them_apart_add_up(
    crowd: SessionTable, population: Population
) -> None:
    overall = np.cov(even(crowd.features), rowvar=False)
    assert np.allclose(np.diag(population.total), np.diag(overall), rtol=0.05)


def test_many_people_give_back_the_covariances_they_were_drawn_from() -> None:
    rng = np.random.default_rng(0)
    users, sessions = 3_000, 8
    means = rng.normal(4.0, 0.3, users)
    log_hold = means.repeat(sessions) + rng.normal(0, 0.1, users * sessions)
    features = np.tile([60.0, 100.0, 100.0, 4.0], (users * sessions, 1))
    features += rng.normal(0, 1e-3, features.shape)
    features[:, 1] = np.exp(log_hold)
    user = np.arange(users).repeat(sessions)
    found = fit(SessionTable(user, np.arange(len(user)), features))
    assert found.mean[1] == pytest.approx(4.0, abs=0.02)
    assert found.between[1, 1] == pytest.approx(0.09, rel=0.06)
    assert found.within[1, 1] == pytest.approx(0.01, rel=0.03)


@pytest.mark.parametrize("sessions", [1, 3, 50])
def test_the_regression_is_the_conditional_distribution_of_a_joint_gaussian(
    population: Population, sessions: int
) -> None:
    chosen: NDArray[np.int64] = np.array([0, 2, 3])
    block = np.ix_(chosen, chosen)
    between, within = population.between[block], population.within[block]
    # The covariance of (next session, mean of k sessions), conditioned by the textbook formula.
    history = between + within / sessions
    slope = between @ np.linalg.inv(history)
    left = between + within - between @ np.linalg.inv(history) @ between
    found_slope, found_left = population.regression(chosen, sessions)
    assert np.allclose(found_slope, slope)
    assert np.allclose(found_left, left)


def test_without_a_session_nothing_is_known_but_the_population(population: Population) -> None:
    slope, left = population.regression(np.arange(6), 0)
    assert not slope.any()
    assert np.array_equal(left, population.total)


def test_a_longer_session_has_less_noise_of_its_own_and_the_same_regression(
    population: Population,
) -> None:
    chosen = np.arange(4)
    slope, left = population.regression(chosen, 5)
    same, less = population.regression(chosen, 5, length=4.0)
    assert np.array_equal(slope, same)
    assert np.allclose(left - less, 0.75 * population.within[:4, :4])
    _, anybody = population.regression(chosen, 0, length=4.0)
    assert np.allclose(anybody, (population.between + population.within / 4.0)[:4, :4])


def test_a_longer_history_leaves_less_unexplained(population: Population) -> None:
    left = [np.trace(population.regression(np.arange(4), k)[1]) for k in range(51)]
    assert (np.diff(left) < 0).all()


def test_too_few_people_are_refused(crowd: SessionTable) -> None:
    with pytest.raises(ValueError, match="11 users with 4 sessions; 12 are needed"):
        fit(crowd.rows(crowd.user < 11))


def test_people_who_do_not_differ_still_give_a_covariance_with_an_inverse() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal([60, 100, 100, 9], [3, 5, 9, 1], (200, 4))
    found = fit(SessionTable(np.arange(200) // 10, np.arange(200), features))
    assert np.linalg.eigvalsh(found.between).min() > 0
