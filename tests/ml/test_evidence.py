"""The evidence beside a slow version that follows the formulas one number at a time."""

from __future__ import annotations

from itertools import permutations
from math import lgamma, log, pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml.evidence import KEYS_OF_ONE, LENGTHS, MAX_HISTORY, Evidence, Tails, knowledge
from ml.features import even
from ml.population import Population
from ml.sessions import Sessions
from tests.ml.any_rich import any_population, any_rich
from tests.ml.any_sessions import any_sessions

Vector = NDArray[np.float64]


def student_t(x: Vector, mean: Vector, scale: Vector, freedom: float) -> float:
    """The log density of a multivariate Student-t distribution, term by term."""
    d = len(x)
    away = x - mean
    distance = float(away @ np.linalg.inv(scale) @ away)
    return (
        lgamma((freedom + d) / 2)
        - lgamma(freedom / 2)
        - d / 2 * log(freedom * pi)
        - log(np.linalg.det(scale)) / 2
        - (freedom + d) / 2 * log(1 + distance / freedom)
    )


def slow_ratio(
    population: Population,
    known: tuple[int, ...],
    now: Vector,
    past: Vector,
    length: float = LENGTHS[0],
) -> float:
    """log p(session | history) - log p(session | anybody) over the features `known`."""
    if not known or not len(past):
        return 0.0
    tails, chosen, k = Tails(), np.array(known), len(past)
    slope, left = population.regression(chosen, k, length)
    mean = population.mean[chosen]
    own = past[:, chosen]
    expected = mean + slope @ (own.mean(axis=0) - mean)
    scatter = ((own - own.mean(axis=0)) ** 2).sum(axis=0)  # (k - 1) v
    within = np.diag(population.within)[chosen]
    spread = (tails.prior_sessions + scatter / within) / (tails.prior_sessions + k - 1)
    scale = left * np.sqrt(np.outer(spread, spread))
    block = np.ix_(chosen, chosen)
    anybody = population.between[block] + population.within[block] / length
    freedom = tails.freedom
    return student_t(now[chosen], expected, scale, freedom) - student_t(
        now[chosen], mean, anybody, freedom
    )


def slow_channels(population: Population, now: Vector, past: Vector) -> list[float]:
    """Each feature's mean gain over all 720 orders in which the features may become known."""
    ratios: dict[tuple[int, ...], float] = {}
    gained = [0.0] * 6
    for order in permutations(range(6)):
        present, before = np.zeros(6, dtype=bool), 0.0
        for feature in order:
            present[feature] = True
            known = knowledge(present)
            if known not in ratios:
                ratios[known] = slow_ratio(population, known, now, past)
            gained[feature] += (ratios[known] - before) / 720
            before = ratios[known]
    return gained


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_channels_are_the_fair_shares_of_marginal_student_t_ratios(
    evidence: Evidence, seed: int
) -> None:
    sessions = any_sessions(1, 12, np.random.default_rng(seed))
    past = even(sessions.history[0, : sessions.counts[0]])
    expected = slow_channels(evidence.population, even(sessions.current[0]), past)
    found = evidence.channels(sessions)[0]
    assert found.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_channels_sum_to_the_joint_ratio(evidence: Evidence, seed: int) -> None:
    sessions = any_sessions(40, 20, np.random.default_rng(seed))
    joint = evidence.joint(sessions)
    assert evidence.channels(sessions).sum(axis=1) == pytest.approx(joint, rel=1e-9, abs=1e-9)


def test_the_joint_ratio_is_that_of_the_four_numbers_scales(evidence: Evidence) -> None:
    sessions = any_sessions(5, 8, np.random.default_rng(3))
    for row in range(5):
        past = even(sessions.history[row, : sessions.counts[row]])
        now = even(sessions.current[row])
        expected = slow_ratio(evidence.population, (0, 1, 2, 3), now, past)
        assert evidence.joint(sessions)[row] == pytest.approx(expected, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("wrong", "keys"), [(3, 56), (1, 61), (7, 150), (1, 239), (11, 350)])
def test_an_error_rate_that_proves_many_keys_makes_the_sessions_noise_less(
    evidence: Evidence, wrong: int, keys: int
) -> None:
    sessions = any_sessions(1, 8, np.random.default_rng(keys))
    sessions.current[0, 3] = 100.0 * wrong / keys
    past = even(sessions.history[0, : sessions.counts[0]])
    length = max([LENGTHS[0], *LENGTHS[keys / KEYS_OF_ONE >= LENGTHS]])
    now = even(sessions.current[0])
    expected = slow_ratio(evidence.population, (0, 1, 2, 3), now, past, length)
    assert evidence.joint(sessions)[0] == pytest.approx(expected, rel=1e-6, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(0, 9))
def test_a_rows_evidence_has_the_same_bits_alone_and_in_any_batch_with_any_padding(
    evidence: Evidence, seed: int, rows: int, padding: int
) -> None:
    rng = np.random.default_rng(seed)
    batch = any_sessions(rows, 50, rng)
    batch.current[::3, 3] = 100.0 * 7 / rng.integers(50, 400, len(batch.current[::3]))
    together = evidence.channels(batch)
    row = int(rng.integers(rows))
    count = int(batch.counts[row])
    history = np.full((1, count + padding, 4), rng.normal(0, 1e6))
    history[0, :count] = batch.history[row, :count]
    alone = Sessions(batch.current[row : row + 1], history, batch.counts[row : row + 1])
    assert evidence.channels(alone)[0].tobytes() == together[row].tobytes()


def test_no_history_is_exactly_no_evidence(evidence: Evidence) -> None:
    sessions = any_sessions(30, 6, np.random.default_rng(1))
    nobody = Sessions(sessions.current, sessions.history, np.zeros(30, dtype=np.int64))
    assert not evidence.channels(nobody).any()
    empty = Sessions(sessions.current, np.zeros((30, 0, 4)), np.zeros(30, dtype=np.int64))
    assert not evidence.channels(empty).any()


def test_only_the_newest_patterns_of_a_long_history_count(evidence: Evidence) -> None:
    rng = np.random.default_rng(2)
    long = any_sessions(4, 100, rng)
    counts = np.full(4, 100)
    cut = Sessions(long.current, long.history[:, :MAX_HISTORY], np.full(4, MAX_HISTORY))
    whole = Sessions(long.current, long.history, counts)
    assert np.array_equal(evidence.channels(whole), evidence.channels(cut))


def test_a_session_like_the_history_speaks_for_and_one_unlike_it_against(
    evidence: Evidence,
) -> None:
    own = np.array([90.0, 80.0, 50.0, 2.0])
    history = np.tile(own, (2, 10, 1)) * np.random.default_rng(0).normal(1, 0.03, (2, 10, 4))
    current = np.array([own, [35.0, 140.0, 200.0, 9.0]])
    joint = evidence.joint(Sessions(current, history, np.full(2, 10)))
    assert joint[0] > 2.0
    assert joint[1] < -5.0


@pytest.mark.parametrize(
    ("coalition", "expected"),
    [
        ([], ()),
        ([4], (4,)),
        ([0, 4], (0, 4)),
        ([3, 4], (3, 4)),
        ([0, 3, 4], (0, 2, 3)),
        ([2, 3, 4], (0, 2, 3)),
        ([2, 5], (1, 2)),
        ([0, 5], (0, 5)),
        ([0, 1, 3, 4], (0, 1, 2, 3)),
        ([0, 3, 4, 5], (0, 1, 2, 3)),
        ([0, 1, 2, 3, 4, 5], (0, 1, 2, 3)),
    ],
)
def test_who_knows_enough_of_what_is_bound_together_knows_the_rest(
    coalition: list[int], expected: tuple[int, ...]
) -> None:
    present = np.isin(np.arange(6), coalition)
    assert knowledge(present) == expected


@pytest.fixture(scope="module")
def both(population: Population) -> Evidence:
    return Evidence(population, Tails(), any_population(np.random.default_rng(1)))


def test_rich_rows_and_rows_of_four_numbers_are_weighed_side_by_side(both: Evidence) -> None:
    sessions = any_rich(60, 10, np.random.default_rng(2))
    assert sessions.derived is not None
    sessions.derived[::3] = 0.0
    rich = both.is_rich(sessions)
    assert rich.tolist() == [row % 3 != 0 for row in range(60)]
    together = both.channels(sessions)
    plain = Sessions(sessions.current, sessions.history, sessions.counts)
    assert together[~rich].tobytes() == both.channels(plain)[~rich].tobytes()
    assert together[rich].tobytes() == both.channels(sessions[rich]).tobytes()


def test_derived_statistics_count_only_where_the_history_has_some_too(both: Evidence) -> None:
    sessions = any_rich(20, 10, np.random.default_rng(3), plain=0.0)
    assert sessions.past_derived is not None
    counted = np.arange(10) < sessions.counts[:, None]
    sessions.past_derived[counted] = 0.0  # what is left is padding
    assert not both.is_rich(sessions).any()
    plain = Sessions(sessions.current, sessions.history, sessions.counts)
    assert both.channels(sessions).tobytes() == both.channels(plain).tobytes()


def test_a_model_without_figures_for_them_uses_no_derived_statistics(evidence: Evidence) -> None:
    sessions = any_rich(20, 10, np.random.default_rng(4))
    plain = Sessions(sessions.current, sessions.history, sessions.counts)
    assert evidence.channels(sessions).tobytes() == evidence.channels(plain).tobytes()
