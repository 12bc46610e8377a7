from __future__ import annotations

import json
from typing import Any

import pytest

from api.errors import ApiError, error_types
from api.responses import PredictResponse
from tests.api.front import NOW, front, refused, request_body, request_with
from tests.api.stub_scoring import StubScoring
from worker.contract import CHANNELS, ErrorCode

pytestmark = pytest.mark.anyio


def minimal(did: str) -> dict[str, Any]:
    """A request as the documents' examples write it: no history."""
    body = request_body(did=did)
    del body["historical_patterns"]
    return body


async def test_the_documented_request_gets_every_documented_field() -> None:
    async with front() as client:
        response = await client.post("/predict", json=request_body())
    answer = response.json()
    assert response.status_code == 200
    assert list(answer)[:5] == [
        "confidence_score",
        "anomaly_score",
        "feature_importance",
        "model_version",
        "inference_time_ms",
    ]
    assert list(answer["feature_importance"]) == list(CHANNELS)
    assert (answer["history_used"], answer["history_source"]) == (1, "caller")
    PredictResponse.model_validate_json(response.content)


@pytest.mark.parametrize("did", ["0x742d35...", "0x1234..."])
async def test_a_did_shortened_as_in_the_documents_is_scored_without_a_history_of_its_own(
    did: str,
) -> None:
    stub = StubScoring()
    async with front(stub) as client:
        response = await client.post("/predict", json=minimal(did))
    assert response.status_code == 200
    assert response.json()["reasons"] == ["DID_ABBREVIATED", "NO_HISTORY"]
    assert stub.rows[0][0] is None


async def test_the_same_did_in_another_case_is_the_same_person() -> None:
    stub = StubScoring()
    async with front(stub) as client:
        for did in ("0xABCDEF", "0xabcdef", "0xABCDE0"):
            await client.post("/predict", json=minimal(did))
    first, second, other = (row[0] for row in stub.rows)
    assert first == second != other


async def test_a_wrong_body_never_reaches_the_queue() -> None:
    stub = StubScoring()
    async with front(stub) as client:
        response = await client.post("/predict", json=request_with(typing_speed_wpm=500))
    detail = refused(response, 400, "INVALID_INPUT")
    assert detail == "features.typing_speed_wpm must be a number between 0 and 400 (got 500)"
    assert stub.rows == []


@pytest.mark.parametrize("path", ["/predict", "/batch-predict"])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"NaN", b"\xff", b"[" * 5000, b'"text"', b"<xml/>", b"null"]
)
async def test_whatever_is_no_request_is_invalid_input(path: str, body: bytes) -> None:
    async with front() as client:
        refused(await client.post(path, content=body), 400, "INVALID_INPUT")


async def test_nan_and_infinity_are_no_numbers() -> None:
    async with front() as client:
        for word in ("NaN", "Infinity", "-Infinity", "1e999"):
            body = json.dumps(request_body()).replace("65", word)
            detail = refused(await client.post("/predict", content=body), 400, "INVALID_INPUT")
            assert "between 0 and 400" in detail


async def test_an_hour_ahead_is_reckoned_from_the_clock() -> None:
    async with front(clock=lambda: NOW + 7200) as client:
        history = [{**request_body()["historical_patterns"][0], "timestamp": NOW + 10_000}]
        body = request_body(historical_patterns=history)
        assert (await client.post("/predict", json=body)).status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/batch-predict"])
async def test_in_a_crowd_the_refusal_comes_before_the_body_is_read(path: str) -> None:
    stub = StubScoring()
    stub.crowded = True
    async with front(stub) as client:
        response = await client.post(path, content=b"what nobody reads")
        refused(response, 503, "OVERLOADED")
        assert int(response.headers["retry-after"]) >= 1
        stub.crowded = False
        answer = await client.post("/predict", json=request_body())
    assert answer.status_code == 200


@pytest.mark.parametrize("error_type", error_types().values())
async def test_every_failure_of_the_queue_becomes_its_own_answer(
    error_type: type[ApiError],
) -> None:
    stub = StubScoring()
    stub.failure = error_type()
    async with front(stub) as client:
        response = await client.post("/predict", json=request_body())
    assert refused(response, error_type.status, error_type.code) == error_type.sentence
    assert ("retry-after" in response.headers) == (error_type.status in {429, 503})


@pytest.mark.parametrize(
    ("code", "status"),
    [(ErrorCode.INFERENCE_ERROR, 500), (ErrorCode.HISTORY_UNAVAILABLE, 503), ("UNHEARD_OF", 500)],
)
async def test_a_row_that_could_not_be_scored_is_an_error(code: str, status: int) -> None:
    stub = StubScoring()
    stub.row_errors = {0: code}
    async with front(stub) as client:
        response = await client.post("/predict", json=request_body())
    assert response.status_code == status


async def test_a_batch_is_answered_in_its_order() -> None:
    async with front() as client:
        bodies = [request_with(typing_speed_wpm=speed) for speed in range(100)]
        response = await client.post("/batch-predict", json=bodies)
    assert [answer["confidence_score"] for answer in response.json()] == list(range(100))


async def test_a_batch_travels_as_one_question() -> None:
    stub = StubScoring()
    async with front(stub) as client:
        dids = ["0xa", "0x742d35...", "did:web:example.org"]
        response = await client.post("/batch-predict", json=[minimal(did) for did in dids])
    assert [row[0] is None for row in stub.rows] == [False, True, False]
    reasons = [answer["reasons"] for answer in response.json()]
    assert reasons == [["NO_HISTORY"], ["DID_ABBREVIATED", "NO_HISTORY"], ["NO_HISTORY"]]


async def test_one_bad_item_refuses_the_batch_and_names_its_index() -> None:
    stub = StubScoring()
    async with front(stub) as client:
        bodies = [request_body(), request_body(), request_body(did="0xyz")]
        response = await client.post("/batch-predict", json=bodies)
    assert refused(response, 400, "INVALID_INPUT").startswith("item 2: did must be")
    assert stub.rows == []


async def test_one_item_that_cannot_be_scored_fails_the_batch_with_its_code_and_index() -> None:
    stub = StubScoring()
    stub.row_errors = {1: ErrorCode.HISTORY_UNAVAILABLE}
    async with front(stub) as client:
        response = await client.post("/batch-predict", json=[request_body()] * 3)
    detail = refused(response, 503, "HISTORY_UNAVAILABLE")
    assert detail.startswith("item 1: the store of histories")
    assert "retry-after" in response.headers


@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_is_one_to_a_hundred(count: int) -> None:
    async with front() as client:
        response = await client.post("/batch-predict", json=[minimal("0x1")] * count)
    assert "a list of 1 to 100 requests" in refused(response, 400, "INVALID_INPUT")


async def test_an_answer_too_many_fails_everyone_rather_than_mixing_people_up() -> None:
    stub = StubScoring()
    stub.surplus = 1
    async with front(stub) as client:
        refused(await client.post("/predict", json=request_body()), 500, "INTERNAL_ERROR")


async def test_a_body_beyond_the_limit_is_refused() -> None:
    async with front(max_body_bytes=1024) as client:
        response = await client.post("/predict", content=b" " * 1025)
    assert "at most 1,024 bytes" in refused(response, 413, "BODY_TOO_LARGE")


async def test_every_answer_is_counted_by_route_and_status_and_score() -> None:
    async with front() as client:
        await client.post("/predict", json=request_body())
        await client.post("/batch-predict", json=[request_body()] * 2)
        await client.post("/predict", content=b"")
        metrics = (await client.get("/metrics")).text
    for line in (
        'biometrics_requests_total{method="POST",route="/predict",status="200"} 1.0',
        'biometrics_requests_total{method="POST",route="/predict",status="400"} 1.0',
        'biometrics_request_seconds_count{route="/batch-predict"} 1.0',
        "biometrics_confidence_score_count 3.0",
        "biometrics_anomaly_score_count 3.0",
        "biometrics_inference_seconds_count 3.0",
    ):
        assert line in metrics.splitlines()
