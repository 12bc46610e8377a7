"""A report of invented figures, as a verification would write it."""

from __future__ import annotations

from typing import Any

from ml.accuracy_page import ASKED
from ml.verification_report import FIGURES


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value * 0.9, "high": min(value * 1.1, 1.0)}


def row(name: str) -> dict[str, Any]:
    point = {"threshold": 90, "fmr": figure(0.01), "fnmr": figure(0.1)}
    return {
        "name": name,
        "counts": {"people": 559, "genuine": 2_795, "impostor": 22_360},
        "figures": {key: figure(0.5) for key in FIGURES},
        "operating_points": {"balanced": point},
    }


def report() -> dict[str, Any]:
    attack = {"replay_exact": {"what": "a recorded session sent again: accepted", **figure(0.25)}}
    return {
        "model_version": "2.0.0",
        "protocol": {"enrolled_sessions": 10, "impostors_a_person": {"one": 40, "five": 200}},
        "operating_points": {"balanced": {"threshold": 90, "setting": "somewhere"}},
        "rows": {key: row(f"the row {key}") for key in ASKED},
        "without_history": {
            "auc": 0.5,
            "eer": 0.5,
            "least_confidence": 50.0,
            "greatest_confidence": 50.0,
        },
        "attacks": {"four": attack, "rich": attack},
    }
