"""What the service makes of a batch's scores: caps, decisions, and which patterns enter their histories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml import guard
from ml.rich_evidence import MAX_HISTORY
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
    unused: NDArray[
        np.bool_
    ]  # its windows, if any, say too little or met patterns of four numbers only
    expected: NDArray[np.bool_]  # four numbers only, where most patterns of the history are rich


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
    unused, expected = _features(sessions)
    good = named & ~fake & ~expected & rule.admits(confidence, scores.anomaly, comparison.recorded)
    withheld = good & comparison.full
    asked = np.flatnonzero(good & ~withheld & ~comparison.idle & (comparison.recorded > 0))
    if len(asked):
        withheld[asked] = _steered(sessions[asked])
    return Judgement(
        confidence,
        _decide(confidence, fake, expected, sessions.counts, point),
        replayed,
        scores.implausible,
        withheld,
        good & ~withheld,
        unused,
        expected,
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
    expected: NDArray[np.bool_],
    counts: NDArray[np.int64],
    point: Point,
) -> list[Decision]:
    """Without any history nothing is accepted, and only a fake is rejected.

    Nor is a session accepted that leaves out what its history has: leaving it out must not pay.
    """
    compared = counts > 0
    accepted = compared & ~fake & ~expected & (confidence >= point.accept)
    rejected = fake | (compared & (confidence < point.reject_below))
    chosen = np.where(accepted, 1, np.where(rejected, 2, 0))
    names = (Decision.REVIEW, Decision.ACCEPT, Decision.REJECT)
    return [names[each] for each in chosen.tolist()]


def _features(sessions: Sessions) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whose windows (B,) could not be used, and who sends none that could where the history expects them (B,)."""
    plain = np.ones(len(sessions), dtype=np.bool_)
    if sessions.derived is not None:
        plain = ~is_rich(sessions.derived)
    if sessions.past_derived is None:
        return plain | (sessions.counts > 0), np.zeros(len(sessions), dtype=np.bool_)
    counted = np.minimum(sessions.counts, MAX_HISTORY)
    rich = is_rich(sessions.past_derived[:, :MAX_HISTORY]) & sessions.counted()[:, :MAX_HISTORY]
    met = rich.sum(axis=1)  # (B,)
    return plain | ((counted > 0) & (met == 0)), plain & (2 * met > counted)
