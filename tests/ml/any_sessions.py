"""Arbitrary sessions within the ranges that the front end lets through."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.sessions import Sessions

LEAST = np.array([0.0, 0.0, -1_000.0, 0.0])
GREATEST = np.array([400.0, 5_000.0, 10_000.0, 100.0])


def any_numbers(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Half of them anywhere in the allowed ranges, half like people's."""
    anywhere = rng.uniform(LEAST, GREATEST, (count, 4))
    human = rng.normal([60, 105, 120, 4], [20, 20, 80, 3], (count, 4)).clip(LEAST, GREATEST)
    return np.where(rng.random((count, 1)) < 0.5, anywhere, human)


def any_sessions(count: int, longest: int, rng: np.random.Generator) -> Sessions:
    """Sessions with histories of 0 to `longest` that resemble them; the padding is arbitrary."""
    current = any_numbers(count, rng)
    history = current[:, None] * rng.normal(1.0, 0.2, (count, longest, 4))
    counts = rng.integers(0, longest + 1, count)
    return Sessions(current, history.clip(LEAST, GREATEST), counts)
