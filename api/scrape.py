"""What `GET /metrics` shows: this process's metrics, and the service's as a whole at the moment of the scrape."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Iterator
from typing import TypeVar

import structlog
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from api.errors import ApiError, QueueUnavailableError
from api.health import Health
from api.metrics import ApiMetrics, registry_for_scrape
from api.ports import Scoring
from worker.contract import ProbeAnswer

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
T = TypeVar("T")
_log = structlog.get_logger("api.scrape")

# prometheus-client appends `_total` to the name of every counter, and this name is documented without.
_PREDICTION_COUNT = (
    "# HELP prediction_count Total number of predictions\n"
    "# TYPE prediction_count counter\n"
    "prediction_count {:.0f}\n"
)


class _Whole(Collector):
    """Figures of the whole service, for one scrape. One that could not be read is absent."""

    def __init__(
        self,
        totals: dict[str, float] | None,
        depth: int | None,
        model: ProbeAnswer | None,
    ) -> None:
        self._totals = totals
        self._depth = depth
        self._model = model

    def collect(self) -> Iterator[Metric]:
        """The documented mean, the queue's depth, and the model that answers."""
        if self._totals is not None:
            mean_ms = average_inference_ms(self._totals)
            yield GaugeMetricFamily("average_inference_time_ms", "Average inference time", mean_ms)
        if self._depth is not None:
            yield GaugeMetricFamily(
                "biometrics_queue_depth", "Messages that wait in the online queue", self._depth
            )
        loaded = self._model is not None
        yield GaugeMetricFamily("biometrics_model_loaded", "Whether a worker answers", loaded)
        if self._model is not None:
            info = {"version": self._model["model_version"], "device": self._model["device"]}
            yield InfoMetricFamily("biometrics_model", "The model that answers", info)


def average_inference_ms(totals: dict[str, float]) -> float:
    """Mean inference time over all workers in ms; 0 before the first prediction."""
    return totals["inference_ms_sum"] / totals["predictions"] if totals["predictions"] >= 1 else 0.0


def readable(totals: dict[str, float]) -> dict[str, float]:
    """The sums as they are. Raises QueueUnavailableError where one is missing or no sum (NaN, infinite, negative)."""
    for name in ("predictions", "inference_ms_sum", "confidence_sum", "anomalies"):
        value = totals.get(name, math.nan)
        if not math.isfinite(value) or value < 0:
            raise QueueUnavailableError("the stored figures are damaged")
    return totals


async def scrape(metrics: ApiMetrics, scoring: Scoring, health: Health) -> bytes:
    """Prometheus' text format. What the queue cannot tell is left out; the rest is still shown."""
    totals, depth, model = await asyncio.gather(
        _or_none(_totals(scoring)), _or_none(scoring.queue_depth()), health.current()
    )
    whole = CollectorRegistry()
    whole.register(_Whole(totals, depth, None if isinstance(model, ApiError) else model))
    documented = "" if totals is None else _PREDICTION_COUNT.format(totals["predictions"])
    own = generate_latest(registry_for_scrape(metrics))
    return documented.encode() + generate_latest(whole) + own


async def _totals(scoring: Scoring) -> dict[str, float]:
    return readable(await scoring.totals())


async def _or_none(reading: Awaitable[T]) -> T | None:
    try:
        return await reading
    except ApiError as error:
        _log.warning("a figure of the whole service is missing", error_code=error.code)
        return None
