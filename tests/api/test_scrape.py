from __future__ import annotations

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.errors import ModelNotLoadedError, QueueUnavailableError
from api.health import Health
from api.metrics import ApiMetrics
from api.scrape import average_inference_ms, scrape
from tests.api.stub_scoring import StubScoring

pytestmark = pytest.mark.anyio


async def text_of(stub: StubScoring, metrics: ApiMetrics | None = None) -> str:
    return (await scrape(metrics or ApiMetrics(), stub, Health(stub, lambda: 0.0))).decode()


def samples(text: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_documented_lines_stand_as_documented() -> None:
    stub = StubScoring()
    stub.sums |= {"predictions": 1543.0, "inference_ms_sum": 1543 * 12.34}
    text = await text_of(stub)
    assert text.startswith(
        "# HELP prediction_count Total number of predictions\n"
        "# TYPE prediction_count counter\n"
        "prediction_count 1543\n"
        "# HELP average_inference_time_ms Average inference time\n"
        "# TYPE average_inference_time_ms gauge\n"
        "average_inference_time_ms 12.34\n"
    )


async def test_the_model_and_the_queue_are_shown() -> None:
    text = await text_of(StubScoring())
    assert samples(text)["biometrics_queue_depth"] == 0
    assert samples(text)["biometrics_model_loaded"] == 1
    assert 'biometrics_model_info{device="cpu",version="1.0.0"} 1.0' in text


async def test_this_processs_own_metrics_are_shown() -> None:
    metrics = ApiMetrics()
    metrics.timeouts.inc()
    assert samples(await text_of(StubScoring(), metrics))["biometrics_timeouts_total"] == 1


async def test_what_redis_cannot_tell_is_left_out_and_the_rest_is_shown() -> None:
    stub = StubScoring()
    stub.sums_failure = QueueUnavailableError()
    shown = samples(await text_of(stub))
    assert not shown.keys() & {
        "prediction_count",
        "average_inference_time_ms",
        "biometrics_queue_depth",
    }
    assert shown["biometrics_model_loaded"] == 1
    assert shown["biometrics_timeouts_total"] == 0


@pytest.mark.parametrize("name", ["predictions", "inference_ms_sum", "confidence_sum", "anomalies"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
async def test_damaged_sums_are_left_out_like_missing_ones(name: str, value: float) -> None:
    stub = StubScoring()
    stub.sums[name] = value
    text = await text_of(stub)
    assert not samples(text).keys() & {"prediction_count", "average_inference_time_ms"}
    assert samples(text)["biometrics_queue_depth"] == 0
    assert "nan" not in text.lower()


async def test_a_service_without_a_worker_says_so() -> None:
    stub = StubScoring()
    stub.failure = ModelNotLoadedError()
    text = await text_of(stub)
    assert samples(text)["biometrics_model_loaded"] == 0
    assert "biometrics_model_info" not in text


def test_before_the_first_prediction_the_mean_is_zero() -> None:
    assert average_inference_ms({"predictions": 0, "inference_ms_sum": 0}) == 0
