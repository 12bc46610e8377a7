"""An answer that can be told from its row: the typing speed comes back as the confidence."""

from __future__ import annotations

from typing import Any

from worker.contract import CHANNELS, Answer


def known_answer(row: list[Any]) -> Answer:
    """The answer for one row of the wire."""
    history = row[2] or []
    return {
        "confidence_score": int(row[1][0]) % 101,
        "anomaly_score": 0.12,
        "feature_importance": dict.fromkeys(CHANNELS, 1 / len(CHANNELS)),
        "model_version": "1.0.0",
        "inference_time_ms": 1.5,
        "history_used": len(history),
        "history_source": "caller" if history else "none",
        "recorded": False,
        "decision": "review",
        "reasons": ["HISTORY_FROM_CALLER"] if history else ["NO_HISTORY"],
    }
