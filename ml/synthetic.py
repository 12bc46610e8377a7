"""Synthetic people: each with a mean and a spread of their own, drawn from figures of real typists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.aalto import KEYS_PER_SENTENCE, TypingFigures
from ml.dataset import SessionTable

EPOCH = 1_700_000_000  # unix seconds of the first possible session
MEAN_DAYS_BETWEEN = 1.5
_DAY_SECONDS = 86_400.0
_PAUSE = 2


def people(
    figures: TypingFigures, sessions_each: NDArray[np.int64], rng: np.random.Generator
) -> SessionTable:
    """The sessions of len(sessions_each) people, person i with sessions_each[i], in order of time."""
    users = len(sessions_each)
    user = np.repeat(np.arange(users), sessions_each)  # (N,)
    own_mean = rng.multivariate_normal(figures.mean, figures.between, users)  # (U, 4)
    deviation = figures.log_spread_deviation
    log_spread = rng.normal(-np.square(deviation) / 2, deviation, (users, 4))  # mean spread 1
    noise = rng.multivariate_normal(np.zeros(4), figures.within, len(user))  # (N, 4)
    freedom = figures.pause_freedom
    noise[:, _PAUSE] *= np.sqrt((freedom - 2) / rng.chisquare(freedom, len(user)))  # variance kept
    quantities = own_mean[user] + noise * np.exp(log_spread / 2)[user]
    return SessionTable(user, _times(user, rng), numbers(quantities))


def numbers(quantities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The four numbers (N, 4) of the quantities (N, 4) of `ml.aalto`: wpm, hold ms, transition ms, error %."""
    hold, interval, pauses, root = quantities.T
    errors = np.square(np.maximum(root, 0.0))
    whole = np.minimum(np.round(errors * KEYS_PER_SENTENCE / 100.0), KEYS_PER_SENTENCE)
    return np.stack(
        [
            np.clip(12_000.0 / np.exp(interval + pauses), 1.0, 400.0),
            np.clip(np.exp(hold), 1.0, 5_000.0),
            np.clip(np.exp(interval) - np.exp(hold), -1_000.0, 10_000.0),
            100.0 * whole / KEYS_PER_SENTENCE,
        ],
        axis=1,
    )


def _times(user: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    gaps = rng.exponential(MEAN_DAYS_BETWEEN * _DAY_SECONDS, len(user)) + 60.0
    elapsed = np.cumsum(gaps)
    first = np.searchsorted(user, user)  # each person's first row
    return (EPOCH + elapsed - elapsed[first]).astype(np.int64)
