"""The documentation against the service: every answer fits the schema, and nothing ends in a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import validator_for
from pydantic import ValidationError
from schemathesis.checks import CHECKS

from api.ranges import LAST_TIMESTAMP
from api.schemas import BATCH, PREDICT
from tests.api.front import app_for, client_of, request_body
from worker.contract import ErrorCode

# At the end of the documented timestamps none is in the future.
schema = schemathesis.openapi.from_asgi(
    "/openapi.json", app_for(clock=lambda: LAST_TIMESTAMP, log_level="ERROR")
).exclude(
    path_regex="^/(jobs|dead-letters)"
)  # they need a store, see tests/api/routes/test_jobs.py


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_fits_the_schema_and_nothing_ends_in_a_5xx(
    case: schemathesis.Case[Any],
) -> None:
    case.call_and_validate(excluded_checks=beyond_json_schema(case.body))


def beyond_json_schema(body: Any) -> list[Any]:
    """The check to leave out where timestamps repeat, or a window has statistics that it may lack the counts of.

    Both are valid to any schema, and refused all the same.
    """
    requests = body if isinstance(body, list) else [body]
    beyond = any(repeats(each) or rich(each) for each in requests)
    return [CHECKS.get_one("positive_data_acceptance")] if beyond else []


def rich(content: Any) -> bool:
    """Whether anything in `content` has statistics, their counts or their version."""
    if isinstance(content, list):
        return any(map(rich, content))
    if not isinstance(content, dict):
        return False
    return bool({"version", "statistics", "counts"} & set(content)) or any(
        map(rich, content.values())
    )


def repeats(request: Any) -> bool:
    """Whether two patterns of a history have one timestamp."""
    history = request.get("historical_patterns") if isinstance(request, dict) else None
    patterns = history if isinstance(history, list) else []
    times = [each.get("timestamp") for each in patterns if isinstance(each, dict)]
    times = [when for when in times if isinstance(when, int | float)]
    return len(set(times)) < len(times)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    shown: dict[str, Any] = app_for().openapi()
    return shown


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_documented_route_is_there_and_no_other(document: dict[str, Any]) -> None:
    assert set(operations(document)) == {
        "GET /",
        "GET /health",
        "GET /stats",
        "GET /metrics",
        "POST /predict",
        "POST /batch-predict",
        "POST /chain/score",
        "GET /chain/keys",
        "POST /jobs",
        "GET /jobs",
        "GET /jobs/{job_id}",
        "DELETE /jobs/{job_id}",
        "GET /jobs/{job_id}/results",
        "GET /dead-letters",
        "POST /dead-letters/{name}/retry",
        "DELETE /dead-letters/{name}",
    }


def test_no_operation_claims_a_422(document: dict[str, Any]) -> None:
    for operation in operations(document).values():
        assert "422" not in operation["responses"]


def test_every_code_that_scoring_can_end_in_is_shown_with_an_example(
    document: dict[str, Any],
) -> None:
    shown = {
        code: example["value"]
        for response in document["paths"]["/predict"]["post"]["responses"].values()
        for code, example in response["content"]["application/json"].get("examples", {}).items()
    }
    not_from_scoring = {ErrorCode.NOT_FOUND, ErrorCode.METHOD_NOT_ALLOWED, ErrorCode.FORBIDDEN}
    not_from_scoring |= {ErrorCode.CHAIN_OFF, ErrorCode.HISTORY_REQUIRED}
    not_from_scoring |= {ErrorCode.IDEMPOTENCY_CONFLICT, ErrorCode.STORAGE_FULL}
    assert set(shown) == set(ErrorCode) - not_from_scoring
    assert {value["path"] for value in shown.values()} == {"/predict"}


@pytest.mark.parametrize(
    "name", ["GET /", "GET /health", "GET /stats", "POST /predict", "POST /batch-predict"]
)
def test_every_example_of_an_answer_fits_its_own_schema(
    document: dict[str, Any], name: str
) -> None:
    checked = 0
    for response in operations(document)[name]["responses"].values():
        content = response["content"]["application/json"]
        root = {"components": document["components"], **content["schema"]}
        examples = [each["value"] for each in content.get("examples", {}).values()]
        for example in examples + ([content["example"]] if "example" in content else []):
            assert list(validator_for(root).iter_errors(example)) == []
            checked += 1
    assert checked > 0


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/predict", "/batch-predict"])
async def test_the_example_of_a_body_is_answered_with_200(
    document: dict[str, Any], path: str
) -> None:
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
    app = app_for()
    async with app.router.lifespan_context(app), client_of(app) as client:
        response = await client.post(path, json=body)
        fields = response.json()[0] if path == "/batch-predict" else response.json()
    assert response.status_code == 200
    shown = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]
    example = shown["example"][0] if path == "/batch-predict" else shown["example"]
    assert list(fields) == list(example)


def test_the_schema_of_a_body_refuses_what_the_service_refuses(document: dict[str, Any]) -> None:
    root = {"components": document["components"]}
    predict = validator_for({**root, "$ref": "#/components/schemas/PredictRequest"})
    good = request_body()
    assert predict.is_valid(good)
    for change in ({"did": "0xyz"}, {"features": None}, {"historical_patterns": 3}, {"more": 1}):
        assert not predict.is_valid({**good, **change})
        with pytest.raises(ValidationError):
            PREDICT.validate_json(json.dumps({**good, **change}))


def test_a_batch_is_documented_with_its_bounds(document: dict[str, Any]) -> None:
    content = document["paths"]["/batch-predict"]["post"]["requestBody"]["content"]
    batch = content["application/json"]["schema"]
    assert (batch["minItems"], batch["maxItems"]) == (1, 100)
    assert len(BATCH.validate_json(json.dumps([request_body()] * 100))) == 100


def test_limited_answers_tell_their_headers(document: dict[str, Any]) -> None:
    headers = document["paths"]["/predict"]["post"]["responses"]["200"]["headers"]
    assert set(headers) == {
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "RateLimit-Reset",
        "RateLimit-Policy",
    }
    assert set(headers) < set(document["components"]["headers"])
