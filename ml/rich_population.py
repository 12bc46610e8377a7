"""How the 38 statistics vary between people and within a person: figures, and how they are measured.

In standardised units z = clip((x - centre) / scale, -5, 5) - mean, a person is y ~ N(0, between), and a pattern of n
windows with c_j keys behind statistic j is y + e, where e_j has variance alpha_j / n + beta_j / c_j and the e_j of one
pattern are correlated by `residual`: what a person does otherwise than usual, and what few keys leave to chance.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.statistics import ALL, COUNT_OF, COUNTED, SUMMARY, VALUES, WINDOWS, is_rich, summary

Floats = NDArray[np.float64]

CLIP: Final = (
    5.0  # deviations; beyond, a recorder is likelier to be wrong than a person to be so unusual
)
DAMPING: Final = 0.08  # of the residual correlation's off-diagonals; 0.05 to 0.2 came out alike
MIN_SESSIONS: Final = 4
MIN_PEOPLE: Final = 2 * ALL  # fewer leave a covariance of 38 statistics without full rank
LONGEST: Final = 50  # sessions of one person that count


@dataclass(frozen=True)
class RichPopulation:
    """The figures of one population."""

    centre: Floats  # (38,)
    scale: Floats  # (38,)
    mean: Floats  # (38,)
    alpha: Floats  # (38,)
    beta: Floats  # (38,)
    between: Floats  # (38, 38)
    residual: Floats  # (38, 38) correlations
    usual_counts: Floats  # (23,) of a window

    def standard(self, values: Floats) -> Floats:
        """The standardised values of (..., 38)."""
        moved = (values - self.centre) / self.scale
        return np.asarray(np.clip(moved, -CLIP, CLIP) - self.mean)

    @property
    def usual(self) -> Floats:
        """The usual count behind each statistic, (38,)."""
        return np.asarray(self.usual_counts[COUNT_OF])

    def state(self) -> dict[str, Floats]:
        """All figures by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def statistics_of(numbers: Floats, derived: Floats) -> tuple[Floats, Floats, Floats]:
    """Values (..., 38), counts (..., 38; 0 = missing) and numbers of windows (...,) of patterns (..., 4), (..., 58).

    A pattern without a derived row has one window and counts of zero: what they usually are is the population's.
    """
    values = np.concatenate([summary(numbers), derived[..., VALUES]], axis=-1)
    counts = derived[..., COUNTED][..., COUNT_OF]
    missing = derived[..., VALUES] == 0.0
    counts[..., len(SUMMARY) :][missing] = 0.0
    return values, counts, np.maximum(derived[..., WINDOWS], 1.0)


def fit(table: SessionTable) -> RichPopulation:
    """The figures of the people in `table`, by moments; every person counts by what is known of them.

    Only rich sessions of people with at least 4 of them count, 50 at most of one person. Raises ValueError when such
    people are fewer than 76.
    """
    values, counts, windows = _by_person(table)  # (U, K, 38), (U, K, 38), (U, K)
    seen = counts > 0
    observed = np.where(seen, values, np.nan)
    centre = np.nanmedian(observed, (0, 1))
    low, high = np.nanquantile(observed, [0.002, 0.998], axis=(0, 1))
    scale = np.maximum(np.nanstd(np.clip(observed, low, high), (0, 1)), 1e-6)
    z = np.nan_to_num(np.clip((observed - centre) / scale, -CLIP, CLIP))
    alpha, beta, between = _noise(z, counts, windows)
    noise = alpha / windows[:, :, None] + beta / np.maximum(counts, 1e-9)
    residual, deviation = _residual(z, noise, seen)
    mean, covariance = _between(z, noise, seen, between, residual, deviation)
    rows = table.derived_rows()
    rich = rows[is_rich(rows)]
    usual = rich[:, COUNTED].sum(axis=0) / rich[:, WINDOWS].sum()
    alpha, beta = alpha * deviation**2, beta * deviation**2
    return RichPopulation(centre, scale, mean, alpha, beta, covariance, residual, usual)


def _by_person(table: SessionTable) -> tuple[Floats, Floats, Floats]:
    table = table.rows(is_rich(table.derived_rows())).sorted()
    _, first, lengths = np.unique(table.user, return_index=True, return_counts=True)
    kept = lengths >= MIN_SESSIONS
    if kept.sum() < MIN_PEOPLE:
        raise ValueError(
            f"{kept.sum()} users with {MIN_SESSIONS} sessions that have windows; {MIN_PEOPLE} are needed"
        )
    first, lengths = first[kept], np.minimum(lengths[kept], LONGEST)
    place = np.arange(lengths.max())
    real = place < lengths[:, None]  # (U, K)
    row = np.where(real, first[:, None] + place, 0)
    values, counts, windows = statistics_of(table.features[row], table.derived_rows()[row])
    return values, np.where(real[:, :, None], counts, 0.0), windows


def _noise(z: Floats, counts: Floats, windows: Floats) -> tuple[Floats, Floats, Floats]:
    """alpha, beta and the variance between people (38,): the squared residuals' least squares on 1/n and 1/count."""
    alpha, beta, between = np.zeros(ALL), np.zeros(ALL), np.zeros(ALL)
    for j in range(ALL):
        c = counts[:, :, j]
        seen = c > 0
        weight = np.where(seen, c / (c + 2.0), 0.0)
        own = (weight * z[:, :, j]).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
        k = seen.sum(axis=1)
        use = seen & (k > 2)[:, None]
        larger = (k / np.maximum(k - 1, 1))[:, None]  # a residual from one's own mean is smaller
        squared = ((z[:, :, j] - own[:, None]) ** 2 * larger)[use]
        squared = np.minimum(squared, np.quantile(squared, 0.995)) if len(squared) else np.ones(1)
        regressors = np.stack([1 / windows[use], 1 / c[use]], axis=1)
        a, b = np.linalg.lstsq(regressors, squared, rcond=None)[0] if use.any() else (1.0, 1.0)
        if a < 0:
            a, b = 0.0, squared.sum() / regressors[:, 1].sum()
        if b < 0:
            a, b = squared.sum() / regressors[:, 0].sum(), 0.0
        alpha[j], beta[j] = a, b
        enough = k > 3
        chance = squared.mean() / max(k[enough].mean(), 1.0) if enough.any() else 0.0
        between[j] = max((np.var(own[enough]) if enough.any() else 0.0) - chance, 0.02)
    return np.maximum(alpha, 1e-4), np.maximum(beta, 1e-4), between


def _residual(z: Floats, noise: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The correlation (38, 38) of a pattern's residuals in units of their noise, and their deviations (38,)."""
    weight = np.where(seen, 1 / noise, 0.0)
    total = weight.sum(axis=1, keepdims=True)
    own = (weight * z).sum(axis=1, keepdims=True) / np.maximum(total, 1e-9)
    use = seen & (seen.sum(axis=1, keepdims=True) > 2)
    smaller = np.sqrt(np.maximum(1 - weight / np.maximum(total, 1e-9), 0.05))
    away = np.where(use, (z - own) / np.sqrt(noise) / smaller, 0.0)
    away = np.clip(away, -6, 6).reshape(-1, ALL)
    pairs = use.reshape(-1, ALL).astype(np.float64)
    covariance = (away.T @ away) / np.maximum(pairs.T @ pairs, 1.0)
    deviation = np.sqrt(np.maximum(np.diag(covariance), 1e-3))
    correlation = positive(covariance / np.outer(deviation, deviation), 1e-3)
    correlation /= np.sqrt(np.outer(np.diag(correlation), np.diag(correlation)))
    return (1 - DAMPING) * correlation + DAMPING * np.eye(ALL), deviation


def _between(
    z: Floats,
    noise: Floats,
    seen: NDArray[np.bool_],
    variance: Floats,
    residual: Floats,
    deviation: Floats,
) -> tuple[Floats, Floats]:
    """The mean (38,) and the covariance (38, 38) of people, each weighed by how well their own means are known."""
    total = np.where(seen, 1 / noise, 0.0).sum(axis=1)  # (U, 38)
    own = np.where(seen, z / noise, 0.0).sum(axis=1) / np.maximum(total, 1e-9)
    error = np.where(total > 0, 1 / np.maximum(total, 1e-9), np.inf)
    known = np.where(error < 2, variance / (variance + np.where(error < 2, error, 1.0)), 0.0)
    mean = (known * own).sum(axis=0) / np.maximum(known.sum(axis=0), 1e-9)
    away = known * (own - mean)
    chance = known * np.sqrt(np.where(np.isfinite(error), error, 0.0) * deviation**2)
    covariance = (away.T @ away - residual * (chance.T @ chance)) / np.maximum(
        known.T @ known, 1e-9
    )
    return mean, positive(covariance, 1e-3)


def positive(matrix: Floats, floor: float) -> Floats:
    """The symmetric matrix with no eigenvalue below `floor`."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)
