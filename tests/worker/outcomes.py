"""Outcomes of the scoring core for tests of what follows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from pydantic_core import to_json

from worker.contract import CHANNELS, Answer, ErrorCode, Reason, RowError
from worker.history import Entry
from worker.outcome import Outcome
from worker.records import Pattern
from worker.worded import Worded


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


def worded(rows: Sequence[Answer | RowError], inference_ms: float = 2.0) -> Worded:
    """These rows as a worker words them."""
    found = [cast(Any, row) for row in rows]
    return Worded(
        [to_json(row) for row in rows],
        [row.get("confidence_score", 0) for row in found],
        [row.get("anomaly_score", 0.0) for row in found],
        [int(Reason.ANOMALOUS in row.get("reasons", [])) for row in found],
        inference_ms,
        {i: row["error"] for i, row in enumerate(found) if "error" in row},
        [row.get("decision", "") for row in found],
        [tuple(row.get("reasons", ())) for row in found],
    )


def outcome_of(*rows: Answer | RowError, entries: Sequence[Entry] = ()) -> Outcome:
    return Outcome(worded(rows), {"v": 1, "queue_seconds": 0.01}, list(entries))


def outcome(*confidences: int, errors: int = 0) -> Outcome:
    rows: list[Any] = [answer(confidence) for confidence in confidences]
    rows += [{"error": ErrorCode.INFERENCE_ERROR}] * errors
    entries = [Entry(f"{n:02x}", Pattern(1_700_000_000, (65, 120, 85, 3))) for n in confidences]
    return outcome_of(*rows, entries=entries)


def answers_of(found: Outcome) -> list[Any]:
    """The rows of the reply, scored or not."""
    rows: list[Any] = found.plain()["rows"]
    return rows
