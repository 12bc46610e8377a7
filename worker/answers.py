"""Words the answers: from the model's figures to what the client reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ml.rich_evidence import MAX_HISTORY
from ml.scorer import Scores
from worker.comparison import Comparison, Row
from worker.contract import CHANNELS, Answer, ErrorCode, Reason, RowError
from worker.enrolment import SHORT_HISTORY, EnrolmentRule
from worker.judgement import Judgement

IMPORTANCE_STEPS = 10_000  # importances are given in steps of 0.0001 that sum to 1


def error_rows(rows: Sequence[Row], code: ErrorCode) -> list[RowError]:
    """The same error for every row."""
    return [{"error": code} for _ in rows]


def word(
    rows: Sequence[Row],
    comparison: Comparison,
    scores: Scores,
    judgement: Judgement,
    rule: EnrolmentRule,
    *,
    version: str,
    inference_ms: float,
) -> list[Answer | RowError]:
    """One answer per row; a row whose figures are not finite is an INFERENCE_ERROR and leaves the others alone."""
    sound = np.isfinite(scores.anomaly) & np.isfinite(scores.importance).all(axis=1)
    columns = zip(
        sound.tolist(),
        judgement.confidence.tolist(),
        scores.anomaly.tolist(),
        in_steps(scores.importance),
        np.minimum(comparison.sessions.counts, MAX_HISTORY).tolist(),
        comparison.sources(),
        judgement.enters.tolist(),
        judgement.decision,
        reasons(
            len(rows),
            applying(windowed(rows), comparison, judgement, scores.anomaly > rule.update_anomaly),
        ),
        strict=True,
    )
    return [
        {
            "confidence_score": confidence,
            "anomaly_score": round(anomaly, 4),
            "feature_importance": dict(zip(CHANNELS, shares, strict=True)),
            "model_version": version,
            "inference_time_ms": inference_ms,
            "history_used": used,
            "history_source": source,
            "recorded": enters,
            "decision": str(decision),
            "reasons": found,
        }
        if known
        else {"error": ErrorCode.INFERENCE_ERROR}
        for known, confidence, anomaly, shares, used, source, enters, decision, found in columns
    ]


def applying(
    windowed: NDArray[np.bool_],
    comparison: Comparison,
    judgement: Judgement,
    anomalous: NDArray[np.bool_],
) -> list[tuple[Reason, NDArray[np.bool_]]]:
    """What a client should know beside the numbers, and of which rows (B,), in the order in which it is told.

    `windowed` (B,): who sent windows.
    """
    used, recorded = comparison.sessions.counts, comparison.recorded
    return [
        (Reason.NO_HISTORY, used == 0),
        (Reason.SHORT_HISTORY, (used > 0) & (used < SHORT_HISTORY)),
        (Reason.HISTORY_FROM_CALLER, (used > 0) & (recorded == 0)),
        (Reason.REPLAY_SUSPECTED, judgement.replayed),
        (Reason.IMPLAUSIBLE_TIMING, judgement.implausible),
        (Reason.UPDATE_WITHHELD, judgement.withheld),
        (Reason.ANOMALOUS, anomalous),
        (Reason.SESSION_FEATURES_EXPECTED, judgement.expected),
        # they hold too little, or no pattern of the history has any
        (Reason.SESSION_FEATURES_UNUSED, judgement.unused & windowed),
    ]


def reasons(rows: int, applying: Sequence[tuple[Reason, NDArray[np.bool_]]]) -> list[list[str]]:
    """The reasons that apply to each row, as codes of the contract."""
    found: list[list[str]] = [[] for _ in range(rows)]
    named, which = np.array([holds for _, holds in applying]).nonzero()
    for name, i in zip(named.tolist(), which.tolist(), strict=True):
        found[i].append(applying[name][0].value)
    return found


def windowed(rows: Sequence[Row]) -> NDArray[np.bool_]:
    """Which rows (B,) have windows."""
    return np.array([bool(row[3]) for row in rows], dtype=np.bool_)


def in_steps(importance: NDArray[np.float64]) -> list[list[float]]:
    """Each row (B, 6) rounded to steps that sum to 1."""
    rounded: list[list[float]] = (steps_of(importance) / IMPORTANCE_STEPS).tolist()
    return rounded


def steps_of(importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row (B, 6) in whole steps (B, 6) that sum to IMPORTANCE_STEPS; NaN where it is not finite.

    Largest remainder method: the steps that rounding down left over go to the largest remainders.
    """
    scaled = importance * IMPORTANCE_STEPS  # (B, 6)
    steps = np.floor(scaled)
    left_over = IMPORTANCE_STEPS - steps.sum(axis=1, keepdims=True)  # (B, 1)
    order = (steps - scaled).argsort(axis=1, kind="stable")
    rank = order.argsort(axis=1, kind="stable")
    return np.asarray(steps + (rank < left_over))
