"""Rich sessions of invented people, and a population to weigh them with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.rich_population import RichPopulation, positive
from ml.sessions import Sessions
from ml.statistics import ALL, COUNTED, COUNTS, DERIVED, SHIFT, VALUES, WINDOWS
from tests.ml.any_sessions import any_numbers

Floats = NDArray[np.float64]


def any_population(rng: np.random.Generator) -> RichPopulation:
    """Figures like people's, with correlations between everything."""

    def correlation() -> Floats:
        drawn = rng.normal(0, 1, (ALL, 2 * ALL))
        covariance = positive(drawn @ drawn.T / (2 * ALL), 1e-3)
        deviation = np.sqrt(np.diag(covariance))
        return np.asarray(covariance / np.outer(deviation, deviation))

    centre = np.concatenate([[0.5, 4.7, 5.3, 1.6], rng.uniform(15, 21, ALL - 4)])
    return RichPopulation(
        centre=centre,
        scale=rng.uniform(0.1, 0.7, ALL),
        mean=rng.normal(0, 0.05, ALL),
        alpha=rng.uniform(0.01, 0.3, ALL),
        beta=rng.uniform(0.1, 5.0, ALL),
        between=correlation() * 0.7,
        residual=correlation(),
        usual_counts=rng.uniform(1, 50, len(COUNTS)),
    )


def any_derived(shape: tuple[int, ...], rng: np.random.Generator, missing: float = 0.1) -> Floats:
    """Derived rows (*shape, 58); some counts are zero, some values are missing although they are counted."""
    rows = np.zeros((*shape, DERIVED))
    rows[..., VALUES] = rng.normal(SHIFT + 2.0, 1.0, (*shape, ALL - 4)).clip(SHIFT - 5, SHIFT + 8)
    rows[..., VALUES][rng.random((*shape, ALL - 4)) < missing] = 0.0
    counts = rng.integers(0, 40, (*shape, len(COUNTS))).astype(np.float64)
    counts[..., :3] += 5
    counts[..., 3:][rng.random((*shape, len(COUNTS) - 3)) < missing] = 0.0
    rows[..., COUNTED] = counts
    rows[..., WINDOWS] = rng.choice([1.0, 1.0, 1.0, 4.0], shape)
    return rows


def any_rich(count: int, longest: int, rng: np.random.Generator, plain: float = 0.2) -> Sessions:
    """Rich sessions with histories of 1 to `longest`, a share of whose patterns have four numbers only; the padding is
    arbitrary, ages are hours and days."""
    counts = rng.integers(1, longest + 1, count)
    past = any_derived((count, longest), rng)
    past[rng.random((count, longest)) < plain] = 0.0
    past[:, 0] = any_derived((count,), rng)
    history = np.stack([any_numbers(count, rng) for _ in range(longest)], axis=1)
    ages = np.cumsum(rng.choice([0.01, 1.0, 30.0], (count, longest)), axis=1)
    return Sessions(
        any_numbers(count, rng), history, counts, any_derived((count,), rng), past, ages
    )
