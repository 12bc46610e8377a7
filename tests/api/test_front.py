"""The short way and the framework's own must not be told apart from outside, except by the clock."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from api.access.keys import key_hash
from api.front import Front
from tests.api.front import app_for, client_of, request_body, request_with
from tests.api.stub_scoring import StubScoring

pytestmark = pytest.mark.anyio
KEY = {"X-API-Key": "a key"}
BIG = b" " * 3000
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/predict", {"json": request_body()}),
    ("POST", "/predict", {"json": request_body(did="0x742d35...")}),
    ("POST", "/predict", {"json": request_with(typing_speed_wpm=500)}),
    ("POST", "/predict", {"content": b"{"}),
    ("POST", "/predict", {"content": b""}),
    ("POST", "/predict", {"content": BIG}),
    ("POST", "/predict?page=2", {"json": request_body()}),
    ("POST", "/predict/", {"json": request_body()}),
    ("POST", "/predict", {"json": request_body(), "headers": {"X-API-Key": "wrong"}}),
    ("POST", "/predict", {"json": request_body(), "headers": {"Origin": "https://a.example"}}),
    ("OPTIONS", "/predict", {}),
    ("OPTIONS", "/predict", {"headers": {"Origin": "https://a.example"}}),
    ("GET", "/predict", {}),
    ("HEAD", "/predict", {}),
    ("BREW", "/predict", {}),
    ("POST", "/batch-predict", {"json": [request_body()] * 3}),
    ("POST", "/batch-predict", {"json": [request_body(), request_body(did="0xyz")]}),
    ("GET", "/batch-predict", {}),
    ("GET", "/openapi.json", {}),
]
SETTINGS: dict[str, Any] = {
    "api_key_hashes": key_hash("a key"),
    "cors_origins": "https://a.example",
    "max_body_bytes": 2048,
}


class LongWay(Front):
    """The same application without its short way."""

    def build_middleware_stack(self) -> Any:
        return FastAPI.build_middleware_stack(self)


async def spoken(app: FastAPI) -> list[Any]:
    """Everything that a client sees of REQUESTS, then what was counted and what was logged."""
    seen: list[Any] = []
    async with app.router.lifespan_context(app), client_of(app) as client:
        with capture_logs() as lines:
            for method, path, more in REQUESTS:
                headers = {**KEY, **more.get("headers", {})}
                answer = await client.request(method, path, **{**more, "headers": headers})
                seen.append((method, path, answer.status_code, answer.headers.raw, answer.content))
        text = (await client.get("/metrics", headers=KEY)).text
    counted = [line for line in text.splitlines() if line.startswith("biometrics_requests_total")]
    varying = {"duration_ms", "exc_info"}
    logged = [{name: line[name] for name in line.keys() - varying} for line in lines]
    return [*seen, sorted(counted), logged]


@pytest.mark.parametrize("failure", [None, RuntimeError("a bug")])
async def test_the_short_way_says_what_the_frameworks_says(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    def made() -> FastAPI:
        stub = StubScoring()
        stub.failure = failure
        return app_for(stub, **SETTINGS)

    short = await spoken(made())
    monkeypatch.setattr("api.app.Front", LongWay)
    long = await spoken(made())
    assert len(short) == len(REQUESTS) + 2
    for ours, theirs in zip(short, long, strict=True):
        assert ours == theirs


async def test_the_routes_that_score_take_the_short_way() -> None:
    app = app_for()
    met: list[str] = []

    async def router(*_args: Any) -> None:
        met.append("router")

    async with app.router.lifespan_context(app):
        stack = app.build_middleware_stack()
        stack.app = router  # type: ignore[attr-defined]
        app.middleware_stack = stack
        async with client_of(app) as client:
            assert (await client.post("/predict", json=request_body())).status_code == 200
            assert (await client.post("/batch-predict", json=[request_body()])).status_code == 200
    assert met == []
