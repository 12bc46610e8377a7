"""Timing that no person and no keyboard makes: impossible combinations, constant and rounded timing.

The limits lie outside of what 17,383 sentences of 1,159 real people show (ml/aalto.json names the study).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.statistics import COUNTED, COUNTS, SHIFT, STATISTICS, WINDOWS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FASTEST: Final = 0.7  # of hold + transition; 0.76 is the least among the sentences
LEAST_HOLD_RATIO: Final = (
    0.1  # log of the holds' 90 % over their 10 % quantile; 1 in 10,000 is below 0.16
)
LEAST_SPREAD: Final = 0.1  # of asinh(transition / 100 ms); 0.22 is the least
ENOUGH: Final = 15  # keys; fewer may agree by chance
STEP_MS: Final = 10.0  # a grid on which people's sums all lie 1 time in 1,000
_TOLERANCE_MS: Final = 0.05


def implausible(current: Floats, derived: Floats | None) -> Bools:
    """Which sessions, (B, 4) and their derived rows (B, 58), are impossible, constant or rounded: (B,)."""
    found = contradicts(current)
    if derived is None:
        return found
    return np.asarray(found | constant(derived) | rounded(current, derived))


def contradicts(current: Floats) -> Bools:
    """Which sessions (B, 4) are faster from key to key than the sum of their holds and transitions allows."""
    per_key = 12_000.0 / np.maximum(current[:, 0], 1e-9)
    return np.asarray(per_key < FASTEST * (current[:, 1] + current[:, 2]))


def constant(derived: Floats) -> Bools:
    """Which derived rows (B, 58) have holds or transitions with hardly any spread."""
    low, high = _value(derived, "hold_q10_ms"), _value(derived, "hold_q90_ms")
    holds = (_count(derived, "holds") >= ENOUGH) & (low > 0.0) & (high - low < LEAST_HOLD_RATIO)
    spread = _value(derived, "transition_spread")
    even = (spread > 0.0) & (np.exp(spread - SHIFT) - 0.02 < LEAST_SPREAD)
    return np.asarray(holds | (even & (_count(derived, "pairs") >= ENOUGH)))


def rounded(current: Floats, derived: Floats) -> Bools:
    """Which sessions were typed on a grid of 10 ms: the sums of holds, transitions and gaps all lie on it.

    A mean times its count is a sum, so a grid shows however much the times vary.
    """
    keys, holds = _count(derived, "keys"), _count(derived, "holds")
    pairs = _count(derived, "pairs") + np.maximum(derived[:, WINDOWS] - 1.0, 0.0)
    gaps = 12_000.0 * (keys - 1.0) / np.maximum(current[:, 0], 1e-9)
    sums = np.stack([current[:, 1] * holds, current[:, 2] * pairs, gaps])  # (3, B)
    off = np.abs(sums - STEP_MS * np.round(sums / STEP_MS))
    return np.asarray((off < _TOLERANCE_MS).all(axis=0) & (holds >= ENOUGH) & (pairs >= ENOUGH))


def _value(derived: Floats, name: str) -> Floats:
    return derived[:, STATISTICS.index(name)]


def _count(derived: Floats, name: str) -> Floats:
    return derived[:, COUNTED.start + COUNTS.index(name)]
