"""What the service makes of a batch's scores: caps, decisions, and which patterns enter their histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml import guard
from ml.scorer import Scores
from ml.sessions import Sessions
from ml.statistics import is_rich
from worker.comparison import Comparison
from worker.contract import Decision
from worker.enrolment import EnrolmentRule

MOST_OF_A_FAKE = 10  # the confidence of a replay or of timing that no person makes, at most


@dataclass(frozen=True)
class Point:
    """Confidences from which to accept, and below which to reject."""

    accept: int
    reject_below: int


@dataclass(frozen=True)
class Judgement:
    """Of B patterns, (B,) each. `withheld`: good enough to enter the history, and kept out of it all the same."""

    confidence: NDArray[np.int64]
    decision: list[Decision]
    replayed: NDArray[np.bool_]
    implausible: NDArray[np.bool_]
    withheld: NDArray[np.bool_]
    enters: NDArray[np.bool_]
    unused: NDArray[np.bool_]  # rich, and compared with patterns of four numbers only


def judge(
    comparison: Comparison,
    scores: Scores,
    named: NDArray[np.bool_],
    rule: EnrolmentRule,
    point: Point,
) -> Judgement:
    """`named` (B,): which patterns have a DID that may have a history."""
    sessions = comparison.sessions
    replayed = guard.replayed(sessions)
    fake = replayed | scores.implausible
    confidence = np.where(fake, np.minimum(scores.confidence, MOST_OF_A_FAKE), scores.confidence)
    good = named & ~fake & rule.admits(confidence, scores.anomaly, comparison.recorded)
    withheld = good & comparison.full
    asked = np.flatnonzero(good & ~withheld & (comparison.recorded > 0))
    if len(asked):
        withheld[asked] = _steered(sessions[asked])
    return Judgement(
        confidence,
        _decide(confidence, fake, sessions.counts, point),
        replayed,
        scores.implausible,
        withheld,
        good & ~withheld,
        _unused(sessions),
    )


def _steered(sessions: Sessions) -> NDArray[np.bool_]:
    return guard.steered(
        sessions.current,
        sessions.derived,
        sessions.history,
        sessions.past_derived,
        sessions.counts,
    )


def _decide(
    confidence: NDArray[np.int64],
    fake: NDArray[np.bool_],
    counts: NDArray[np.int64],
    point: Point,
) -> list[Decision]:
    """Without any history nothing is accepted, and only a fake is rejected."""
    compared = counts > 0
    accepted = compared & ~fake & (confidence >= point.accept)
    rejected = fake | (compared & (confidence < point.reject_below))
    chosen = np.where(accepted, 1, np.where(rejected, 2, 0))
    names = (Decision.REVIEW, Decision.ACCEPT, Decision.REJECT)
    return [names[each] for each in chosen.tolist()]


def _unused(sessions: Sessions) -> NDArray[np.bool_]:
    """Whose statistics met a history without any."""
    unused = np.zeros(len(sessions), dtype=np.bool_)
    if sessions.derived is None:
        return unused
    met = sessions.counts > 0
    if sessions.past_derived is not None:
        met &= ~(is_rich(sessions.past_derived) & sessions.counted()).any(axis=1)
    return np.asarray(is_rich(sessions.derived) & met)
