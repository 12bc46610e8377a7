"""Many sessions' windows pooled at once: the same rows as `ml.statistics.pool` makes one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.statistics import (
    COUNT_OF,
    COUNTED,
    DERIVED,
    STATISTICS,
    SUMMARY,
    VALUES,
    WINDOWS,
    even,
)

Floats = NDArray[np.float64]

_NUMBERS = 4
_BEHIND = COUNT_OF[len(SUMMARY) :]  # of each of the 34, its count among the 23


def pool_each(windows: Floats, sizes: NDArray[np.int64]) -> Floats:
    """The derived rows (B, 58) of B sessions, from their windows (M, 61) in order and their numbers of windows (B,).

    Natural units, NaN = missing. Raises ValueError unless every session has a window and all windows a session.
    """
    if sizes.min(initial=1) < 1 or sizes.sum() != len(windows):
        raise ValueError("sizes must be at least 1 and sum to the number of windows")
    values = even(windows[:, _NUMBERS : _NUMBERS + len(STATISTICS)])  # (M, 34)
    counts = np.nan_to_num(windows[:, _NUMBERS + len(STATISTICS) :])  # (M, 23)
    weight = np.where(values == 0.0, 0.0, counts[:, _BEHIND])  # (M, 34)
    first = np.cumsum(sizes) - sizes  # (B,)
    rows = np.zeros((len(sizes), DERIVED))
    if len(sizes):
        total = np.add.reduceat(weight, first)  # (B, 34)
        summed = np.add.reduceat(weight * values, first)  # (B, 34)
        rows[:, VALUES] = np.where(total > 0, summed / np.maximum(total, 1.0), 0.0)
        rows[:, COUNTED] = np.add.reduceat(counts, first)
        rows[:, WINDOWS] = np.add.reduceat((counts > 0).any(axis=1).astype(np.int64), first)
    return rows
