"""Synthetic people: each with means and spreads of their own, drawn from figures of real typists.

A session has 1 to 5 windows, counts around the usual ones, and is missing what nobody typed in it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.aalto import TypingFigures
from ml.dataset import SessionTable
from ml.features import ERROR_RATE, numbers
from ml.rich_population import CLIP
from ml.statistics import (
    ALL,
    COUNT_OF,
    COUNTED,
    COUNTS,
    DERIVED,
    SHIFT,
    STATISTICS,
    SUMMARY,
    VALUES,
    WINDOWS,
)

Floats = NDArray[np.float64]

EPOCH = 1_700_000_000  # unix seconds of the first possible session
MEAN_DAYS_BETWEEN = 1.5
SHARE_OF_WINDOWS = (0.6, 0.1, 0.1, 0.1, 0.1)  # sessions of 1, 2, .. 5 windows
LEAST_KEYS = 15
_DAY_SECONDS = 86_400.0
_LEAST = np.array([1.0, 1.0, -1_000.0, 0.0])
_GREATEST = np.array([400.0, 5_000.0, 10_000.0, 100.0])
_KEYS, _HOLDS, _PAIRS = (COUNTS.index(name) for name in ("keys", "holds", "pairs"))
_SHARES = np.array([name.startswith("rollover") for name in STATISTICS])


def people(
    figures: TypingFigures, sessions_each: NDArray[np.int64], rng: np.random.Generator
) -> SessionTable:
    """The sessions of len(sessions_each) people, person i with sessions_each[i], in order of time."""
    p = figures.population
    user = np.repeat(np.arange(len(sessions_each)), sessions_each)  # (N,)
    between = _latent(p.between, figures.latent_between)
    own = rng.multivariate_normal(np.zeros(ALL), between, len(sessions_each))  # (U, 38)
    drawn = rng.choice(len(SHARE_OF_WINDOWS), len(user), p=SHARE_OF_WINDOWS)
    windows = 1.0 + drawn.astype(np.float64)  # (N,)
    counts = _counts(figures, windows, rng)  # (N, 23)
    noise = p.alpha / windows[:, None] + p.beta / np.maximum(counts[:, COUNT_OF], 1.0)
    noise[:, ERROR_RATE] *= figures.latent_within
    away = rng.standard_normal((len(user), ALL)) @ np.linalg.cholesky(p.residual).T
    away *= np.sqrt((figures.freedom - 2) / rng.chisquare(figures.freedom, (len(user), 1)))
    noise *= _spread(figures, len(sessions_each), rng)[user]
    z = own[user] + away * np.sqrt(noise)  # (N, 38)
    values = (np.clip(z + p.mean, -CLIP, CLIP)) * p.scale + p.centre
    derived = np.zeros((len(user), DERIVED))
    derived[:, VALUES] = _derived(values[:, len(SUMMARY) :], counts)
    derived[:, COUNTED] = counts
    derived[:, WINDOWS] = windows
    features = _whole_errors(numbers(values[:, : len(SUMMARY)]), counts[:, _KEYS])
    return SessionTable(user, _times(user, rng), np.clip(features, _LEAST, _GREATEST), derived)


def _latent(between: Floats, factor: float) -> Floats:
    widened = between.copy()
    widened[ERROR_RATE] *= np.sqrt(factor)
    widened[:, ERROR_RATE] *= np.sqrt(factor)
    return widened


def _spread(figures: TypingFigures, users: int, rng: np.random.Generator) -> Floats:
    """Each person's variance relative to the population's, (U, 38), 1 in the mean."""
    common, own = figures.spread_deviation, figures.own_spread_deviation
    log_spread = rng.normal(0, common, (users, 1)) + rng.normal(0, own, (users, ALL))
    return np.exp(log_spread - (common**2 + own**2) / 2)


def _counts(figures: TypingFigures, windows: Floats, rng: np.random.Generator) -> Floats:
    deviation = figures.length_deviation
    length = np.exp(rng.normal(-(deviation**2) / 2, deviation, len(windows)))
    usual = figures.population.usual_counts
    counts = rng.poisson((windows * length)[:, None] * usual).astype(np.float64)
    counts[:, _KEYS] = np.maximum(counts[:, _KEYS], LEAST_KEYS)
    counts[:, _HOLDS] = np.clip(counts[:, _HOLDS], LEAST_KEYS - 3, counts[:, _KEYS])
    counts[:, _PAIRS] = np.clip(counts[:, _PAIRS], LEAST_KEYS - 5, counts[:, _HOLDS] - 1)
    return counts


def _derived(values: Floats, counts: Floats) -> Floats:
    values = np.where(_SHARES, np.clip(values, SHIFT, SHIFT + 1.0), values)
    return np.where(counts[:, COUNT_OF[len(SUMMARY) :]] > 0, values, 0.0)


def _whole_errors(features: Floats, keys: Floats) -> Floats:
    """The same numbers with errors in whole keys."""
    keys = np.maximum(keys, 1.0)
    features[:, 3] = 100.0 * np.round(np.minimum(features[:, 3], 100.0) * keys / 100.0) / keys
    return features


def _times(user: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    gaps = rng.exponential(MEAN_DAYS_BETWEEN * _DAY_SECONDS, len(user)) + 60.0
    elapsed = np.cumsum(gaps)
    first = np.searchsorted(user, user)  # each person's first row
    return (EPOCH + elapsed - elapsed[first]).astype(np.int64)
