"""The 38 statistics that tell typists apart: their names, units, scales, channels, and the counts behind them.

A window of a session has four numbers and, optionally, 34 derived statistics with 23 counts, all in natural units. The
rest of `ml` works with *derived rows* of 58 numbers: 34 values on the even scales below (0 = missing), 23 counts, and
the number of windows. `ml.keystrokes` defines how each statistic is measured.

| statistic | natural unit | even scale |
|---|---|---|
| *_ms of holds, overlaps, gaps, shift lead | ms | log, not below the least that a clock tells apart |
| transition_q90_ms | ms, negative where keys overlap | asinh(x / 100) |
| hold_space .. hold_finger_8, hold_rolled, hold_backspace | log ratio to the window's mean | as it is |
| transition_left_left .. transition_from_space, shift_tail | difference or mean of asinh(ms / 100) | as it is |
| rollover_* | share of overlapping pairs, 0..1 | as it is |
| hold_spread, transition_spread, hold_change | deviation on the log or asinh scale | log(x + 0.02) |
| gap_persistence | product of log gaps' deviations | as it is |

Every even value is moved up by 16, so that none of them is 0 or below and all are below 32.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.features import (
    ERROR_RATE,
    KEY_HOLD,
    RHYTHM,
    SPEED_ACCURACY,
    TRANSITION,
    TYPING_SPEED,
)

Floats = NDArray[np.float64]

SUMMARY: Final = ("pause", "hold", "gap", "errors")  # see `ml.features.summary`
STATISTICS: Final = (
    "hold_q10_ms",
    "hold_q90_ms",
    "hold_space",
    "hold_other",
    *(f"hold_finger_{finger}" for finger in range(1, 9)),
    "transition_q90_ms",
    "overlap_ms",
    "transition_left_left",
    "transition_right_right",
    "transition_left_right",
    "transition_right_left",
    "transition_to_space",
    "transition_from_space",
    "rollover_left_left",
    "rollover_left_right",
    "rollover_right_right",
    "rollover_to_space",
    "hold_spread",
    "transition_spread",
    "hold_rolled",
    "hold_change",
    "gap_persistence",
    "gap_mean_ms",
    "gap_median_ms",
    "hold_backspace",
    "shift_lead_ms",
    "shift_tail",
)
COUNTS: Final = (
    "keys",
    "holds",
    "pairs",
    "spaces",
    "others",
    *(f"finger_{finger}" for finger in range(1, 9)),
    "overlaps",
    "left_left",
    "right_right",
    "left_right",
    "right_left",
    "to_space",
    "from_space",
    "triples",
    "backspaces",
    "shifts",
)
# How many keys, pairs or triples each of the 38 is a mean over.
COUNTED_BY: Final = (
    *("pairs", "holds", "pairs", "keys"),
    *("holds", "holds", "spaces", "others"),
    *(f"finger_{finger}" for finger in range(1, 9)),
    *("pairs", "overlaps"),
    *("left_left", "right_right", "left_right", "right_left", "to_space", "from_space"),
    *("left_left", "left_right", "right_right", "to_space"),
    *("holds", "pairs", "overlaps", "pairs", "triples"),
    *("pairs", "pairs", "backspaces", "shifts", "shifts"),
)
# The channel that each of the 38 speaks for.
CHANNEL: Final = np.array(
    [TYPING_SPEED, KEY_HOLD, TRANSITION, ERROR_RATE]
    + [KEY_HOLD] * 12
    + [TRANSITION] * 12
    + [RHYTHM] * 5
    + [TYPING_SPEED] * 2
    + [ERROR_RATE]
    + [SPEED_ACCURACY] * 2
)
COUNT_OF: Final = np.array([COUNTS.index(name) for name in COUNTED_BY])  # (38,)

ALL: Final = len(SUMMARY) + len(STATISTICS)  # 38
WINDOW: Final = 4 + len(STATISTICS) + len(COUNTS)  # 61 numbers of a window
DERIVED: Final = len(STATISTICS) + len(COUNTS) + 1  # 58 numbers of a derived row
VALUES: Final = slice(0, len(STATISTICS))
COUNTED: Final = slice(len(STATISTICS), len(STATISTICS) + len(COUNTS))
WINDOWS: Final = DERIVED - 1

SHIFT: Final = 16.0
_FLOOR_MS: Final = {"hold": 10.0, "overlap": 5.0, "gap": 15.0, "shift": 15.0}
_SPREADS: Final = [STATISTICS.index(n) for n in ("hold_spread", "transition_spread", "hold_change")]
_TRANSITION: Final = STATISTICS.index("transition_q90_ms")
_LOGS: Final = [
    i for i, n in enumerate(STATISTICS) if n.endswith("_ms") and n != "transition_q90_ms"
]
_FLOORS: Final = np.array([_FLOOR_MS[STATISTICS[i].split("_")[0]] for i in _LOGS])
_LEAST_SPREAD: Final = 0.02
LEAST_HOLDS: Final = 15
LEAST_PAIRS: Final = 10
LEAST_STATISTICS: Final = 12


def even(statistics: Floats) -> Floats:
    """The even values (..., 34) of natural units (..., 34); NaN, a missing statistic, becomes 0."""
    values = statistics.astype(np.float64).copy()
    values[..., _LOGS] = np.log(np.maximum(values[..., _LOGS], _FLOORS))
    values[..., _TRANSITION] = np.arcsinh(values[..., _TRANSITION] / 100.0)
    values[..., _SPREADS] = np.log(np.maximum(values[..., _SPREADS], 0.0) + _LEAST_SPREAD)
    return np.where(np.isnan(values), 0.0, values + SHIFT)


def natural(values: Floats) -> Floats:
    """The inverse of `even`: natural units (..., 34), NaN where a value is 0."""
    found = np.where(values == 0.0, np.nan, values - SHIFT)
    found[..., _LOGS] = np.exp(found[..., _LOGS])
    found[..., _TRANSITION] = 100.0 * np.sinh(found[..., _TRANSITION])
    found[..., _SPREADS] = np.maximum(np.exp(found[..., _SPREADS]) - _LEAST_SPREAD, 0.0)
    return found


def pool(windows: Floats) -> Floats:
    """A session's derived row (58,) from its windows (m, 61) in natural units, NaN = missing.

    Each even value is the mean over the windows that have it, weighted by its count; counts are summed; windows without
    any count say nothing and are not counted. A session of such windows only has a row of zeros.
    """
    return pool_even(even(windows[:, 4 : 4 + len(STATISTICS)]), windows[:, 4 + len(STATISTICS) :])


def pool_many(windows: Floats, owner: NDArray[np.int64], sessions: int) -> Floats:
    """The derived rows (N, 58) of `sessions` sessions, `owner` (W,) of whose windows (W, 61) is ascending."""
    first = np.searchsorted(owner, np.arange(sessions))
    values = even(windows[:, 4 : 4 + len(STATISTICS)])
    counts = np.nan_to_num(windows[:, 4 + len(STATISTICS) :])
    weight = np.where(values == 0.0, 0.0, counts[:, COUNT_OF[len(SUMMARY) :]])  # (W, 34)
    rows = np.zeros((sessions, DERIVED))
    if not sessions:
        return rows
    total = np.add.reduceat(weight, first)
    mean = np.add.reduceat(weight * values, first) / np.maximum(total, 1.0)
    rows[:, VALUES] = np.where(total > 0, mean, 0.0)
    rows[:, COUNTED] = np.add.reduceat(counts, first)
    rows[:, WINDOWS] = np.add.reduceat((counts > 0).any(axis=1).astype(float), first)
    return rows


def pool_even(values: Floats, counts: Floats) -> Floats:
    """As `pool`, of even values (m, 34) and counts (m, 23)."""
    counts = np.nan_to_num(counts)
    weight = np.where(values == 0.0, 0.0, counts[:, COUNT_OF[len(SUMMARY) :]])  # (m, 34)
    total = weight.sum(axis=0)
    row = np.zeros(DERIVED)
    row[VALUES] = np.where(total > 0, (weight * values).sum(axis=0) / np.maximum(total, 1.0), 0.0)
    row[COUNTED] = counts.sum(axis=0)
    row[WINDOWS] = (counts > 0).any(axis=1).sum()
    return row


def enough(derived: Floats) -> NDArray[np.bool_]:
    """Which derived rows (B, 58) hold enough to be weighed: 15 keys, 10 pairs and 12 statistics, (B,).

    A row that holds next to nothing would be scored about 50 whoever typed. Of 25,768 sessions of the study in
    ml/aalto.json 9 hold less.
    """
    keys = derived[:, COUNTED.start + COUNTS.index("holds")] >= LEAST_HOLDS
    pairs = derived[:, COUNTED.start + COUNTS.index("pairs")] >= LEAST_PAIRS
    present = (derived[:, VALUES] > 0.0).sum(axis=1)
    return np.asarray(keys & pairs & (present >= LEAST_STATISTICS))


def is_rich(derived: Floats) -> NDArray[np.bool_]:
    """Which derived rows (..., 58) hold anything at all, (...,)."""
    return np.asarray(derived[..., WINDOWS] > 0)
