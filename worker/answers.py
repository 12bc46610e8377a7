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
    importance = in_steps(scores.importance)
    sound = np.isfinite(scores.anomaly) & np.isfinite(scores.importance).all(axis=1)
    anomalies = scores.anomaly.tolist()
    counts = comparison.sessions.counts.tolist()
    answers: list[Answer | RowError] = []
    for i, row in enumerate(rows):
        if not sound[i]:
            answers.append({"error": ErrorCode.INFERENCE_ERROR})
            continue
        source = comparison.source(i)
        answers.append(
            {
                "confidence_score": int(judgement.confidence[i]),
                "anomaly_score": round(anomalies[i], 4),
                "feature_importance": dict(zip(CHANNELS, importance[i], strict=True)),
                "model_version": version,
                "inference_time_ms": inference_ms,
                "history_used": min(counts[i], MAX_HISTORY),
                "history_source": source,
                "recorded": bool(judgement.enters[i]),
                "decision": judgement.decision[i].value,
                "reasons": reasons(
                    counts[i], source, judgement, i, anomalous=anomalies[i] > rule.update_anomaly
                )
                + unused(row, judgement, i),
            }
        )
    return answers


def reasons(used: int, source: str, judgement: Judgement, i: int, *, anomalous: bool) -> list[str]:
    """What a client should know beside row `i`'s number, as codes of the contract."""
    applies = {
        Reason.NO_HISTORY: not used,
        Reason.SHORT_HISTORY: 0 < used < SHORT_HISTORY,
        Reason.HISTORY_FROM_CALLER: source == "caller",
        Reason.REPLAY_SUSPECTED: judgement.replayed[i],
        Reason.IMPLAUSIBLE_TIMING: judgement.implausible[i],
        Reason.UPDATE_WITHHELD: judgement.withheld[i],
        Reason.ANOMALOUS: anomalous,
        Reason.SESSION_FEATURES_EXPECTED: judgement.expected[i],
    }
    return [reason.value for reason, holds in applies.items() if holds]


def unused(row: Row, judgement: Judgement, i: int) -> list[str]:
    """Whether a session's windows could not be used: they hold too little, or no pattern of its history has any."""
    return [Reason.SESSION_FEATURES_UNUSED.value] if row[3] and judgement.unused[i] else []


def in_steps(importance: NDArray[np.float64]) -> list[list[float]]:
    """Each row (B, 6) rounded to steps that sum to 1.

    Largest remainder method: the steps that rounding down left over go to the largest remainders.
    """
    scaled = np.nan_to_num(importance) * IMPORTANCE_STEPS  # (B, 6)
    steps = np.floor(scaled).astype(np.int64)
    left_over = IMPORTANCE_STEPS - steps.sum(axis=1)  # (B,)
    order = np.argsort(steps - scaled, axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    steps += rank < left_over[:, None]
    rounded: list[list[float]] = (steps / IMPORTANCE_STEPS).tolist()
    return rounded
