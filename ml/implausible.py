"""Timing that no person and no keyboard makes: impossible combinations, constant and rounded timing."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.statistics import COUNTED, COUNTS, STATISTICS

Floats = NDArray[np.float64]

FASTEST: Final = (
    0.5  # of hold + transition: no typist comes below 0.6 from key to key, see `contradicts`
)
LEAST_SPREAD: Final = 0.02  # deviation of log hold
ENOUGH: Final = 15  # keys; fewer may agree by chance


def implausible(current: Floats, derived: Floats | None) -> NDArray[np.bool_]:
    """Which sessions, (B, 4) and their derived rows (B, 58), are impossible, constant or rounded: (B,)."""
    found = contradicts(current)
    if derived is None:
        return found
    return np.asarray(found | constant(derived))


def contradicts(current: Floats) -> NDArray[np.bool_]:
    """Which sessions (B, 4) are faster from key to key than the sum of their holds and transitions allows."""
    per_key = 12_000.0 / np.maximum(current[:, 0], 1e-9)
    return np.asarray(per_key < FASTEST * (current[:, 1] + current[:, 2]))


def constant(derived: Floats) -> NDArray[np.bool_]:
    """Which derived rows (B, 58) have holds without spread."""
    holds = derived[:, COUNTED][:, COUNTS.index("holds")]
    low, high = (derived[:, STATISTICS.index(name)] for name in ("hold_q10_ms", "hold_q90_ms"))
    return np.asarray((holds >= ENOUGH) & (low > 0.0) & (high - low < LEAST_SPREAD))
