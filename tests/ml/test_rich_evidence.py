"""The rich evidence beside a slow version that follows the formulas one history at a time."""

from __future__ import annotations

from dataclasses import replace
from math import log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ml.rich_evidence import FREEDOM, FROM_TABLE, PRIOR_SESSIONS, Drift, RichEvidence
from ml.rich_population import RichPopulation
from ml.sessions import Sessions
from ml.statistics import ALL, CHANNEL, COUNT_OF, COUNTED, VALUES, WINDOWS, summary
from tests.ml.any_rich import any_population, any_rich

Vector = NDArray[np.float64]


@pytest.fixture(scope="module")
def rich() -> RichEvidence:
    return RichEvidence(any_population(np.random.default_rng(1)))


def standard_and_noise(
    p: RichPopulation, numbers: Vector, derived: Vector
) -> tuple[list[float | None], list[float]]:
    """Each statistic's standardised value, None where it is missing, and its noise."""
    values = [*summary(numbers).tolist(), *derived[VALUES].tolist()]
    z: list[float | None] = []
    noise = []
    for j, value in enumerate(values):
        count = derived[COUNTED][COUNT_OF[j]]
        if derived[WINDOWS] == 0:  # four numbers only
            count = max(p.usual_counts[COUNT_OF[j]], 0.3) if j < 4 else 0
        missing = count == 0 or (j >= 4 and value == 0)
        away = min(max((value - p.centre[j]) / p.scale[j], -5), 5) - p.mean[j]
        z.append(None if missing else away)
        noise.append(p.alpha[j] / max(derived[WINDOWS], 1) + p.beta[j] / max(count, 1e-9))
    return z, noise


def slow_summary(p: RichPopulation, patterns: list[tuple[Vector, Vector]]) -> list[Vector]:
    """The history's mean, its noise (infinite where nothing is known), the spread."""
    mean, noise, spread = np.zeros(ALL), np.full(ALL, np.inf), np.ones(ALL)
    each = [standard_and_noise(p, *pattern) for pattern in patterns]
    for j in range(ALL):
        known = [(z[j], s[j]) for z, s in each if z[j] is not None]
        if not known:
            continue
        total = sum(1 / s for _, s in known)
        mean[j] = sum(z / s for z, s in known if z is not None) / total
        noise[j] = 1 / total
        scatter = sum((z - mean[j]) ** 2 / s for z, s in known if z is not None)
        spread[j] = (PRIOR_SESSIONS + scatter) / (PRIOR_SESSIONS + len(known) - 1)
    return [mean, noise, spread]


def conditional(joint: Vector, h: Vector, k: int) -> tuple[Vector, Vector]:
    """Mean and covariance of the rest, given that the first k of a joint Gaussian are h."""
    gain = joint[k:, :k] @ np.linalg.inv(joint[:k, :k])
    return gain @ h, joint[k:, k:] - gain @ joint[:k, k:]


def log_density(x: Vector, mean: Vector, covariance: Vector) -> float:
    """Student-t without the constants that both densities share."""
    away = x - mean
    distance = float(away @ np.linalg.inv(covariance) @ away)
    _, determinant = np.linalg.slogdet(covariance)
    return -(FREEDOM + len(x)) / 2 * log1p(distance / FREEDOM) - determinant / 2


def moves(drift: Drift, ages: Vector) -> tuple[float, float]:
    """The drift of the session and of its history."""
    if ages[0] <= 6.0:
        return drift.within, drift.within / 4
    sittings = 1 + sum(
        older - newer > 6.0 for newer, older in zip(ages[:-1], ages[1:], strict=True)
    )
    counted = max(n for n in drift.sittings if n <= sittings)
    return drift.between, drift.between / counted


def slow_channels(p: RichPopulation, sessions: Sessions, row: int, drift: Drift) -> list[float]:
    assert sessions.derived is not None
    assert sessions.past_derived is not None
    assert sessions.ages_hours is not None
    k = int(sessions.counts[row])
    patterns = list(zip(sessions.history[row, :k], sessions.past_derived[row, :k], strict=True))
    mean, noise, spread = slow_summary(p, patterns)
    found, noise_x = standard_and_noise(p, sessions.current[row], sessions.derived[row])
    now, before = moves(drift, sessions.ages_hours[row, :k])
    known = np.flatnonzero(np.isfinite(noise))
    total = [0.0]
    for channel in range(6):
        among = [j for j in range(ALL) if CHANNEL[j] <= channel]
        seen = np.array([j for j in among if j in known and found[j] is not None], dtype=int)
        if not len(seen):
            total.append(0.0)
            continue
        x = np.array([found[j] for j in seen], dtype=float)
        s = np.sqrt(np.array(noise_x)[seen])
        own = s * np.sqrt(spread[seen])
        b, r = p.between, p.residual
        both = np.ix_(seen, seen)
        history = np.ix_(known, known)
        s_h = np.sqrt(noise[known])
        joint = np.block(
            [
                [
                    b[history] * (1 + before) + r[history] * np.outer(s_h, s_h),
                    b[np.ix_(known, seen)],
                ],
                [b[np.ix_(seen, known)], b[both] * (1 + now) + r[both] * np.outer(own, own)],
            ]
        )
        expected, left = conditional(joint, mean[known], len(known))
        anybody = b[both] * (1 + now) + r[both] * np.outer(s, s)
        total.append(log_density(x, expected, left) - log_density(x, np.zeros(len(x)), anybody))
    return np.diff(total).tolist()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_with_few_patterns_the_channels_are_the_ratios_of_the_joint_distribution(
    rich: RichEvidence, seed: int
) -> None:
    sessions = any_rich(3, FROM_TABLE - 1, np.random.default_rng(seed))
    found = rich.channels(sessions)
    for row in range(3):
        expected = slow_channels(rich.population, sessions, row, rich.drift)
        # A missing statistic has variance 1e6 instead of none.
        assert found[row].tolist() == pytest.approx(expected, rel=1e-3, abs=2e-3)


def test_a_history_of_usual_counts_has_the_same_channels_by_the_table() -> None:
    rng = np.random.default_rng(2)
    p = any_population(rng)
    p = replace(p, usual_counts=np.round(p.usual_counts) + 1)
    rich = RichEvidence(p)
    sessions = any_rich(8, 12, rng, plain=0.0)
    assert sessions.past_derived is not None
    sessions.past_derived[..., COUNTED] = p.usual_counts
    sessions.past_derived[..., WINDOWS] = 1
    sessions.past_derived[..., VALUES] = rng.normal(18, 1, sessions.past_derived[..., VALUES].shape)
    counts = np.arange(5, 13)
    sessions = replace(sessions, counts=counts)
    found = rich.channels(sessions)
    for row in range(8):
        expected = slow_channels(p, sessions, row, rich.drift)
        assert found[row].tolist() == pytest.approx(expected, rel=1e-3, abs=2e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(0, 9))
def test_a_rows_evidence_has_the_same_bits_alone_and_in_any_batch_with_any_padding(
    rich: RichEvidence, seed: int, rows: int, padding: int
) -> None:
    rng = np.random.default_rng(seed)
    batch = any_rich(rows, 50, rng)
    together = rich.channels(batch)
    order = rng.permutation(rows)
    assert rich.channels(batch[order]).tobytes() == together[order].tobytes()
    row = int(rng.integers(rows))
    count = int(batch.counts[row])

    def padded(values: Vector | None) -> Vector:
        assert values is not None
        wide = np.full((1, count + padding, *values.shape[2:]), abs(rng.normal(0, 1e3)))
        wide[0, :count] = values[row, :count]
        return wide

    alone = Sessions(
        batch.current[row : row + 1],
        padded(batch.history),
        batch.counts[row : row + 1],
        None if batch.derived is None else batch.derived[row : row + 1],
        padded(batch.past_derived),
        padded(batch.ages_hours),
    )
    assert rich.channels(alone)[0].tobytes() == together[row].tobytes()


def test_only_the_newest_fifty_patterns_count(rich: RichEvidence) -> None:
    long = any_rich(4, 80, np.random.default_rng(3))
    whole = replace(long, counts=np.full(4, 80))
    assert np.array_equal(rich.channels(whole), rich.channels(replace(long, counts=np.full(4, 50))))


def test_one_number_that_is_not_finite_harms_no_other_row(rich: RichEvidence) -> None:
    sessions = any_rich(40, 10, np.random.default_rng(4))
    whole = rich.channels(sessions)
    sessions.current[7, 1] = np.nan
    sessions.history[21, 0, 2] = np.inf
    with np.errstate(invalid="ignore"):
        found = rich.channels(sessions)
    sound = ~np.isin(np.arange(40), [7, 21])
    assert np.array_equal(found[sound], whole[sound])


def test_a_statistic_that_one_side_lacks_says_nothing(rich: RichEvidence) -> None:
    sessions = any_rich(6, 10, np.random.default_rng(5), plain=0.0)
    sessions = replace(sessions, counts=np.full(6, 10))
    assert sessions.derived is not None
    assert sessions.past_derived is not None
    j = 20
    sessions.past_derived[..., j] = 0.0
    before = rich.channels(sessions)
    sessions.derived[:, j] = 25.0
    assert rich.channels(sessions) == pytest.approx(before, abs=1e-3)


def test_later_sittings_are_believed_less(rich: RichEvidence) -> None:
    sessions = any_rich(30, 10, np.random.default_rng(6), plain=0.0)
    assert sessions.derived is not None
    own = replace(
        sessions,
        history=np.repeat(sessions.current[:, None], 10, axis=1),
        past_derived=np.repeat(sessions.derived[:, None], 10, axis=1),
        counts=np.full(30, 10),
    )
    apart = replace(own, ages_hours=np.full((30, 10), 100.0))
    near = replace(own, ages_hours=np.full((30, 10), 1.0))
    unknown = replace(own, ages_hours=None)
    assert np.array_equal(rich.channels(near), rich.channels(unknown))
    same, later = (rich.channels(each).sum(axis=1) for each in (near, apart))
    assert (later < same).all()
    assert (later > 0).all()


def test_no_session_is_no_evidence(rich: RichEvidence) -> None:
    empty = any_rich(1, 2, np.random.default_rng(7))[:0]
    assert rich.channels(empty).shape == (0, 6)
