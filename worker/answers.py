"""Words the answers: from the model's figures to what the client reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.scorer import Scores
from worker.contract import CHANNELS, Answer, ErrorCode, Reason, RowError
from worker.enrolment import EnrolmentRule

Row = list[Any]
SHORT_HISTORY = 5  # real people: EER 11.8 % with five patterns, 11.1 % with ten, 16.4 % with one
IMPORTANCE_STEPS = 10_000  # importances are given in steps of 0.0001 that sum to 1


@dataclass(frozen=True)
class Past:
    """One row's history, newest first: (wpm, hold ms, transition ms, error percent); `source` as in the contract."""

    patterns: list[tuple[float, ...]]
    source: str

    @property
    def recorded(self) -> int:
        """How many of the patterns the server itself recorded."""
        return len(self.patterns) if self.source == "server" else 0


def error_rows(rows: Sequence[Row], code: ErrorCode) -> list[RowError]:
    """The same error for every row."""
    return [{"error": code} for _ in rows]


def word(
    rows: Sequence[Row],
    pasts: Sequence[Past],
    scores: Scores,
    rule: EnrolmentRule,
    *,
    version: str,
    inference_ms: float,
) -> list[Answer | RowError]:
    """One answer per row; a row whose figures are not finite is an INFERENCE_ERROR and leaves the others alone."""
    importance = in_steps(scores.importance)
    answers: list[Answer | RowError] = []
    for i, (row, past) in enumerate(zip(rows, pasts, strict=True)):
        confidence, anomaly = int(scores.confidence[i]), float(scores.anomaly[i])
        if not (np.isfinite(anomaly) and np.isfinite(scores.importance[i]).all()):
            answers.append({"error": ErrorCode.INFERENCE_ERROR})
            continue
        answers.append(
            {
                "confidence_score": confidence,
                "anomaly_score": round(anomaly, 4),
                "feature_importance": dict(zip(CHANNELS, importance[i], strict=True)),
                "model_version": version,
                "inference_time_ms": inference_ms,
                "history_used": len(past.patterns),
                "history_source": past.source,
                "recorded": row[0] is not None and rule.admits(confidence, anomaly, past.recorded),
                "reasons": reasons(row, past, anomaly, rule),
            }
        )
    return answers


def reasons(row: Row, past: Past, anomaly: float, rule: EnrolmentRule) -> list[str]:
    """What a client should know beside the number, as codes of the contract."""
    applies = {
        Reason.NO_HISTORY: not past.patterns,
        Reason.SHORT_HISTORY: 0 < len(past.patterns) < SHORT_HISTORY,
        Reason.HISTORY_FROM_CALLER: past.source == "caller",
        Reason.ANOMALOUS: anomaly > rule.update_anomaly,
        Reason.SESSION_FEATURES_UNUSED: bool(row[3]),
    }
    return [reason.value for reason, holds in applies.items() if holds]


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
