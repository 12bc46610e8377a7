"""The figures of `GET /stats`."""

from __future__ import annotations

import psutil

from api.errors import ApiError
from api.responses import ModelStats, PerformanceStats, StatsResponse, SystemStats
from api.scrape import average_inference_ms, readable
from worker.contract import ProbeAnswer

BYTES_PER_MB = 1024 * 1024


def stats(model: ProbeAnswer | ApiError, totals: dict[str, float]) -> StatsResponse:
    """The documented answer, from a probe's outcome and the workers' sums.

    Raises QueueUnavailableError where the sums are damaged.
    """
    performance = _performance(readable(totals))
    return StatsResponse(model=_model(model), performance=performance, system=_system())


def _model(model: ProbeAnswer | ApiError) -> ModelStats:
    if isinstance(model, ApiError):
        return ModelStats(version=None, device=None, loaded=False)
    return ModelStats(version=model["model_version"], device=model["device"], loaded=True)


def _performance(totals: dict[str, float]) -> PerformanceStats:
    predictions = totals["predictions"]
    confidence = totals["confidence_sum"] / predictions if predictions >= 1 else 0.0
    return PerformanceStats(
        total_predictions=int(predictions),
        avg_inference_time_ms=round(average_inference_ms(totals), 2),
        avg_confidence=round(min(confidence, 100.0), 2),
        anomalies_detected=int(totals["anomalies"]),
    )


def _system() -> SystemStats:
    memory = psutil.virtual_memory()
    return SystemStats(
        cpu_percent=psutil.cpu_percent(),  # since the last call; 0 at the first
        memory_used_mb=round(memory.used / BYTES_PER_MB, 2),
        memory_available_mb=round(memory.available / BYTES_PER_MB, 2),
        memory_percent=memory.percent,
    )
