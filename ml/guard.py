"""What a score cannot see: a recorded session sent again, and a history that is led away step by step.

Both are pure functions of a session and its DID's history, newest pattern first. Their constants were chosen on
two thirds of the participants of V. Dhakal, A. M. Feit, P. O. Kristensson, A. Oulasvirta, "Observations on Typing from
136 Million Keystrokes", CHI 2018; docs/accuracy.md says what both reach on the third that chose nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.features import summary
from ml.sessions import NUMBERS, Sessions
from ml.statistics import SHIFT, VALUES

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROUNDING: Final = 1e-6  # share of a number that float32 may take or add
MOVED: Final = 1.0 + 1e-3  # by how much one of the four numbers of a copy may differ

STEP: Final = 1e-3  # of the derived values that a history keeps
COPIED: Final = (
    0.5  # share of derived values in agreement; in 24,000 pairs of one person none had 0.20
)
ENOUGH_VALUES: Final = 8  # fewer may agree by chance

# Trend from which a history counts as led. It withholds 15 % of genuine updates, which costs 0.1 points of EER; from
# 1.4 down to 0.8 (10 to 30 % withheld) 0 to 2 of 100 attacks in small steps came through, without it up to all.
# Beside those two thirds, one run on the judged third (2 of 100 at 1.4) took part in the choice of 1.2 over 1.4.
LED: Final = 1.2
FARTHEST: Final = 5.0  # deviations; beyond, a number says no more than "far"
# Deviation of one person's sentences of about 48 keys: of the four statistics of `summary`, and of the 34 derived.
SUMMARY_DEVIATION: Final = np.array([0.723, 0.066, 0.135, 1.225])
DERIVED_DEVIATION: Final = np.array(
    [
        *(0.101, 0.079, 0.086, 0.263),  # hold quantiles, space, others
        *(0.133, 0.143, 0.106, 0.093, 0.093, 0.148, 0.146, 0.324),  # hold by finger
        *(0.288, 0.272, 0.271, 0.307, 0.246, 0.237, 0.201, 0.237),  # transitions and overlap
        *(0.159, 0.159, 0.180, 0.136),  # rollover
        *(0.178, 0.131, 0.097, 0.158, 0.052),  # rhythm
        *(0.109, 0.114, 0.267, 0.496, 0.447),  # gaps, backspace, shift
    ]
)


def replayed(sessions: Sessions) -> Flags:
    """Which sessions (B,) copy a pattern of their history.

    A copy has all four numbers of the pattern, but at most one that differs by at most 1; or at least half of its
    derived values to the step that a history keeps. A value that both lack, or that is 0 in both, is no agreement.
    Where derived values can be compared and differ, only all four numbers make a copy: a fixed text on a coarse clock
    gives three equal ones by chance.
    """
    counted = sessions.counted()  # (B, K)
    with np.errstate(invalid="ignore"):
        same, near = _same_numbers(sessions.current, sessions.history)
        found = same | near
        if sessions.derived is not None and sessions.past_derived is not None:
            alike, compared = _same_values(sessions.derived, sessions.past_derived)
            found = same | alike | (near & ~compared)
    return np.asarray((found & counted).any(axis=1))


def steered(
    current: Floats,
    derived: Floats | None,
    history: Floats,
    past_derived: Floats | None,
    counts: NDArray[np.int64],
) -> Flags:
    """Which sessions (B,) would lead their history on in the direction that it is already going.

    Poisoning moves a history by small steps, each accepted, and all of them one way; a person's own sessions scatter.
    The patterns are projected on the way from their mean to the session, and `trend` asks whether the newer ones lie
    further along it. The idea of looking at the direction of updates is that of arXiv 1905.09162.

    Shapes: current (B, 4), derived (B, 58), history (B, K, 4) newest first, past_derived (B, K, 58), counts (B,).
    """
    counted = np.arange(history.shape[1]) < counts[:, None]  # (B, K)
    rich = derived is not None and past_derived is not None
    with np.errstate(invalid="ignore"):
        now, seen_now = _standard(current, derived if rich else None)  # (B, D)
        past, seen = _standard(history, past_derived if rich else None)  # (B, K, D)
        seen &= seen_now[:, None] & counted[:, :, None]
        mean = np.where(seen, past, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)  # (B, D)
        apart = np.where(seen, _clipped(past - mean[:, None]), 0.0)  # (B, K, D)
        way = np.where(seen.any(axis=1), _clipped(now - mean), 0.0)  # (B, D)
        along = (apart * way[:, None]).sum(axis=2)  # (B, K)
        return np.asarray(trend(along, counts) >= LED)


def trend(along: Floats, counts: NDArray[np.int64]) -> Floats:
    """How surely numbers (B, K), newest first, rise with time, (B,): about a normal deviate where they do not.

    r sqrt(n - 1), r the correlation of the n counted ones with their order (Kendall & Gibbons, "Rank Correlation
    Methods": the variance of r under random order is 1 / (n - 1) whatever the numbers are). 0 where all are equal.
    """
    counted = np.arange(along.shape[1]) < counts[:, None]  # (B, K)
    size = np.maximum(counts, 1)[:, None]
    order = np.where(counted, (size - 1) / 2.0 - np.arange(along.shape[1]), 0.0)  # (B, K)
    mean = np.where(counted, along, 0.0).sum(axis=1, keepdims=True) / size
    apart = np.where(counted, along - mean, 0.0)  # (B, K)
    product = np.sqrt(np.square(apart).sum(axis=1) * np.square(order).sum(axis=1))  # (B,)
    correlation = (apart * order).sum(axis=1) / np.maximum(product, 1e-12)
    return np.asarray(correlation * np.sqrt(np.maximum(counts - 1, 0)))


def _same_numbers(current: Floats, history: Floats) -> tuple[Flags, Flags]:
    """Whether (B, 4) are the numbers of each of (B, K, 4), and whether all but one are, (B, K) each."""
    apart = np.abs(history - current[:, None])  # (B, K, 4)
    rounding = ROUNDING * np.maximum(np.abs(history), 1.0)
    same = (apart <= rounding).sum(axis=2)  # (B, K)
    near = same >= NUMBERS - 1
    if near.any():  # seldom
        near &= (apart <= MOVED).all(axis=2)
    return np.asarray(same == NUMBERS), np.asarray(near)


def _same_values(derived: Floats, past: Floats) -> tuple[Flags, Flags]:
    """Whether at least half of the derived values of (B, 58) are those of each of (B, K, 58), and whether both have
    enough of them to tell, (B, K) each."""
    now, then = derived[:, None, VALUES], past[:, :, VALUES]
    both = (now > 0.0) & (then > 0.0) & ((now != SHIFT) | (then != SHIFT))  # (B, K, 34)
    same = both & (np.abs(now - then) <= STEP)
    number = both.sum(axis=2)
    compared = np.asarray(number >= ENOUGH_VALUES)
    return np.asarray(compared & (same.sum(axis=2) >= COPIED * number)), compared


def _standard(numbers: Floats, derived: Floats | None) -> tuple[Floats, Flags]:
    """Statistics (..., D) in deviations of one person's sentences, and which were seen: (..., D) or (..., 1)."""
    values = summary(numbers) / SUMMARY_DEVIATION  # (..., 4)
    if derived is None:
        return values, np.ones((*values.shape[:-1], 1), dtype=bool)
    seen = np.ones(values.shape, dtype=bool)
    more = derived[..., VALUES]  # (..., 34)
    both = np.concatenate([values, more / DERIVED_DEVIATION], axis=-1)  # (..., 38)
    return both, np.concatenate([seen, more > 0.0], axis=-1)


def _clipped(deviations: Floats) -> Floats:
    return np.minimum(
        np.maximum(deviations, -FARTHEST), FARTHEST
    )  # np.clip takes three times as long
