from __future__ import annotations

import math

import pytest

from api.errors import ModelNotLoadedError, QueueUnavailableError
from api.responses import StatsResponse
from api.stats import stats
from worker.contract import ProbeAnswer

MODEL: ProbeAnswer = {"model_version": "1.0.0", "device": "cpu"}
SUMS = {
    "predictions": 4.0,
    "inference_ms_sum": 10.0,
    "confidence_sum": 342.0,
    "anomalies": 1.0,
}


def test_the_keys_are_the_documented_ones() -> None:
    shown = stats(MODEL, SUMS).model_dump()
    assert list(shown) == ["model", "performance", "system"]
    assert shown["model"] == {"version": "1.0.0", "device": "cpu", "loaded": True}
    assert list(shown["performance"])[:3] == [
        "total_predictions",
        "avg_inference_time_ms",
        "avg_confidence",
    ]
    assert list(shown["system"]) == [
        "cpu_percent",
        "memory_used_mb",
        "memory_available_mb",
        "memory_percent",
    ]


def test_means_are_taken_over_all_predictions() -> None:
    performance = stats(MODEL, SUMS).performance
    assert performance.total_predictions == 4
    assert performance.avg_inference_time_ms == 2.5
    assert performance.avg_confidence == 85.5
    assert performance.anomalies_detected == 1


def test_before_the_first_prediction_every_mean_is_zero() -> None:
    performance = stats(MODEL, dict.fromkeys(SUMS, 0.0)).performance
    assert (performance.avg_inference_time_ms, performance.avg_confidence) == (0, 0)


@pytest.mark.parametrize("name", list(SUMS))
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_damaged_sums_are_no_statistics(name: str, value: float) -> None:
    with pytest.raises(QueueUnavailableError, match="damaged"):
        stats(MODEL, {**SUMS, name: value})


def test_a_missing_sum_is_a_damaged_one() -> None:
    with pytest.raises(QueueUnavailableError, match="damaged"):
        stats(MODEL, {"predictions": 4.0})


@pytest.mark.parametrize(
    "changes",
    [
        {"predictions": 5e-324},
        {"predictions": 1e308, "anomalies": 1e308},
        {"confidence_sum": 1e308},
        {"inference_ms_sum": 1e308},
    ],
)
def test_sums_that_contradict_each_other_still_fit_the_documented_form(
    changes: dict[str, float],
) -> None:
    text = stats(MODEL, SUMS | changes).model_dump_json()
    assert StatsResponse.model_validate_json(text).performance.avg_confidence <= 100


def test_without_a_worker_the_model_is_not_loaded() -> None:
    model = stats(ModelNotLoadedError(), SUMS).model
    assert model.model_dump() == {"version": None, "device": None, "loaded": False}


def test_memory_is_told_in_megabytes() -> None:
    system = stats(MODEL, SUMS).system
    assert 16 < system.memory_used_mb + system.memory_available_mb < 16 * 1024 * 1024
