"""People with derived statistics, as far apart from each other as a test needs."""

from __future__ import annotations

import numpy as np

from ml.dataset import SessionTable
from ml.guard import DERIVED_DEVIATION
from ml.statistics import COUNTED, DERIVED, SHIFT, VALUES, WINDOWS

USUAL = np.array([55.0, 105.0, 110.0, 3.0])


def rich_crowd(people: int, sessions: int, rng: np.random.Generator) -> SessionTable:
    """Sessions an hour apart; every person has a place of their own and scatters about it."""
    own = np.exp(rng.normal(0.0, [0.3, 0.2, 0.3, 0.4], (people, 1, 4)))
    features = USUAL * own * np.exp(rng.normal(0.0, 0.08, (people, sessions, 4)))
    derived = np.zeros((people, sessions, DERIVED))
    place = 2.0 * rng.standard_normal((people, 1, 34))
    scatter = rng.standard_normal((people, sessions, 34))
    derived[..., VALUES] = SHIFT + DERIVED_DEVIATION * (place + scatter)
    derived[..., COUNTED] = rng.integers(3, 40, (people, sessions, 23))
    derived[..., WINDOWS] = 1
    seconds = np.tile(1_600_000_000 + 3_600 * np.arange(sessions), people)
    return SessionTable(
        np.repeat(np.arange(people) + 100, sessions),
        seconds,
        features.reshape(-1, 4),
        derived.reshape(-1, DERIVED),
    )
