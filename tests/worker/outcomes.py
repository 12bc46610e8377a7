"""Outcomes of the scoring core for tests of what follows it."""

from __future__ import annotations

from typing import Any

from worker.contract import CHANNELS, Answer, ErrorCode
from worker.history import Entry
from worker.outcome import Outcome
from worker.records import Pattern


def answer(confidence: int, reasons: list[str] | None = None) -> Answer:
    return {
        "confidence_score": confidence,
        "anomaly_score": 0.5,
        "feature_importance": dict.fromkeys(CHANNELS, 1 / 6),
        "model_version": "1.0.0",
        "inference_time_ms": 2.0,
        "history_used": 0,
        "history_source": "none",
        "recorded": True,
        "decision": "review",
        "reasons": reasons or [],
    }


def outcome(*confidences: int, errors: int = 0) -> Outcome:
    rows: list[Any] = [answer(confidence) for confidence in confidences]
    rows += [{"error": ErrorCode.INFERENCE_ERROR}] * errors
    entries = [Entry(f"{n:02x}", Pattern(1_700_000_000, (65, 120, 85, 3))) for n in confidences]
    return Outcome({"v": 1, "queue_seconds": 0.01, "rows": rows}, entries, inference_ms=2.0)
