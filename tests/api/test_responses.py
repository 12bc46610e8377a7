"""The examples of an answer against the shipped model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from api.responses import ANSWER_EXAMPLE, FIRST_ANSWER_EXAMPLE, PredictResponse
from api.schemas import BATCH_EXAMPLE, PREDICT_EXAMPLE
from ml.registry import load
from ml.scorer import Scorer
from ml.sessions import Sessions

MODEL = Path(__file__).resolve().parents[2] / "models" / "production" / "model.pth"
NUMBERS = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load(MODEL)


def sessions(request: dict[str, Any]) -> Sessions:
    history = request.get("historical_patterns", [])
    past = np.array([[each[name] for name in NUMBERS] for each in history], dtype=np.float64)
    current = np.array([[request["features"][name] for name in NUMBERS]], dtype=np.float64)
    return Sessions(current, past.reshape(1, -1, 4), np.array([len(history)]))


@pytest.mark.parametrize(
    ("request_example", "answer_example"),
    [
        (PREDICT_EXAMPLE, ANSWER_EXAMPLE),
        *((each, FIRST_ANSWER_EXAMPLE) for each in BATCH_EXAMPLE),
    ],
)
def test_the_examples_are_what_the_shipped_model_answers(
    scorer: Scorer, request_example: Any, answer_example: Any
) -> None:
    shown = PredictResponse.model_validate(answer_example)
    scores = scorer.score(sessions(request_example))
    assert shown.confidence_score == pytest.approx(scores.confidence[0], abs=3)
    assert shown.anomaly_score == pytest.approx(scores.anomaly[0], abs=0.05)
    shares = list(shown.feature_importance.model_dump().values())
    assert shares == pytest.approx(list(scores.importance[0]), abs=0.05)
    assert sum(shares) == pytest.approx(1)
    assert shown.model_version == scorer.model_version
    assert shown.history_used == len(request_example.get("historical_patterns", []))


def test_without_a_history_the_example_says_so_and_founds_one() -> None:
    example = cast("dict[str, Any]", FIRST_ANSWER_EXAMPLE)
    assert (example["confidence_score"], example["history_source"]) == (50, "none")
    assert (example["reasons"], example["recorded"]) == (["NO_HISTORY"], True)
