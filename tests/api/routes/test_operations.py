from __future__ import annotations

import pytest

from api.errors import DeadlineExceededError, ModelNotLoadedError, QueueUnavailableError
from api.responses import HealthyResponse, ServiceResponse, StatsResponse, UnhealthyResponse
from tests.api.front import front, refused
from tests.api.stub_scoring import StubScoring

pytestmark = pytest.mark.anyio


async def test_the_root_tells_service_and_version() -> None:
    async with front() as client:
        response = await client.get("/")
    shown = ServiceResponse.model_validate_json(response.content)
    assert shown.service == "behavioral-biometrics"


async def test_a_healthy_service_answers_with_the_documented_fields() -> None:
    async with front() as client:
        response = await client.get("/health")
    assert response.status_code == 200
    assert list(response.json()) == [
        "status",
        "model_loaded",
        "model_version",
        "device",
        "uptime_seconds",
        "version",
    ]
    HealthyResponse.model_validate_json(response.content)


@pytest.mark.parametrize("failure", [ModelNotLoadedError(), DeadlineExceededError()])
async def test_without_a_worker_the_service_is_unhealthy_and_says_why(
    failure: ModelNotLoadedError | DeadlineExceededError,
) -> None:
    stub = StubScoring()
    stub.failure = failure
    async with front(stub) as client:
        response = await client.get("/health")
    assert response.status_code == 503
    shown = UnhealthyResponse.model_validate_json(response.content)
    assert (shown.error_code, shown.path) == (failure.code, "/health")
    assert shown.detail == failure.sentence


async def test_many_who_ask_for_health_cause_one_probe() -> None:
    stub = StubScoring()
    async with front(stub) as client:
        for _ in range(20):
            await client.get("/health")
    assert stub.probes == 1


async def test_statistics_have_the_documented_form() -> None:
    stub = StubScoring()
    stub.sums |= {"predictions": 2.0, "confidence_sum": 150.0, "inference_ms_sum": 5.0}
    async with front(stub) as client:
        response = await client.get("/stats")
    shown = StatsResponse.model_validate_json(response.content)
    assert shown.model.loaded
    assert shown.performance.avg_confidence == 75
    assert shown.performance.avg_inference_time_ms == 2.5


async def test_statistics_without_the_store_are_unavailable() -> None:
    stub = StubScoring()
    stub.sums_failure = QueueUnavailableError()
    async with front(stub) as client:
        refused(await client.get("/stats"), 503, "QUEUE_UNAVAILABLE")


async def test_metrics_are_shown_even_when_nothing_else_works() -> None:
    stub = StubScoring()
    stub.sums_failure = stub.failure = QueueUnavailableError()
    async with front(stub) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "biometrics_model_loaded 0.0" in response.text


@pytest.mark.parametrize(
    "path", ["/nothing", "/predict/", "/health/", "//predict", "/predict/1", "/favicon.ico"]
)
async def test_an_unknown_path_is_not_found_and_nothing_is_redirected(path: str) -> None:
    async with front() as client:
        response = await client.post(f"http://service{path}", json={})
    assert response.status_code == 404
    assert response.json()["error_code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/predict", "OPTIONS, POST"),
        ("PUT", "/batch-predict", "OPTIONS, POST"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("DELETE", "/metrics", "GET, HEAD, OPTIONS"),
        ("TRACE", "/", "GET, HEAD, OPTIONS"),
        ("POST", "/docs", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(method: str, path: str, allow: str) -> None:
    async with front() as client:
        response = await client.request(method, path)
    refused(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/", "/health", "/stats", "/metrics", "/docs", "/openapi.json"])
async def test_head_and_options_are_answered_wherever_get_is(path: str) -> None:
    async with front() as client:
        head, options = await client.head(path), await client.options(path)
    assert (head.status_code, head.content) == (200, b"")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")


async def test_the_frameworks_own_pages_are_counted_by_their_path() -> None:
    async with front() as client:
        await client.get("/docs")
        metrics = (await client.get("/metrics")).text
    assert 'biometrics_requests_total{method="GET",route="/docs",status="200"} 1.0' in metrics
