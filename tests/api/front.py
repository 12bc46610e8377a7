"""A front end in this process, over the stub unless a test brings something else."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import create_app
from api.body import READ_SECONDS
from api.ports import Scoring
from api.schemas import PREDICT_EXAMPLE
from api.settings import Settings
from tests.api.stub_scoring import StubScoring

NOW = 1_800_000_000.0
DEAD_REDIS = "redis://127.0.0.1:1/0"  # nothing listens there
HASH_KEY = "k" * 32


def settings(**changes: Any) -> Settings:
    """Settings of a test's own: nothing is read from the environment's .env, and no limit is on."""
    values = {"did_hash_key": HASH_KEY, "redis_url": DEAD_REDIS, "rate_limits": "", **changes}
    return Settings(_env_file=None, **values)


def app_for(
    scoring: Scoring | None = None,
    clock: Callable[[], float] = lambda: NOW,
    read_seconds: float = READ_SECONDS,
    **changes: Any,
) -> FastAPI:
    """An application that is not started yet."""
    stub = scoring or StubScoring()
    return create_app(settings(**changes), stub, clock=clock, read_seconds=read_seconds)


@asynccontextmanager
async def front(
    scoring: Scoring | None = None,
    clock: Callable[[], float] = lambda: NOW,
    client: str = "192.0.2.1",
    **changes: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a started application; `client` is the address that it comes from."""
    app = app_for(scoring, clock, **changes)
    async with app.router.lifespan_context(app), client_of(app, client) as asking:
        yield asking


def client_of(app: FastAPI, client: str = "192.0.2.1") -> httpx.AsyncClient:
    """A client of an application in this process."""
    transport = httpx.ASGITransport(app, client=(client, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://service")


def request_body(**changes: Any) -> dict[str, Any]:
    """The API reference's own request, with changed top-level fields."""
    return {**copy.deepcopy(dict(PREDICT_EXAMPLE)), **changes}


def request_with(**features: Any) -> dict[str, Any]:
    """The API reference's own request, with changed features."""
    body = request_body()
    body["features"] |= features
    return body


def refused(response: httpx.Response, status: int, code: str) -> str:
    """Asserts the documented form of an error and returns its detail."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    error: dict[str, str] = response.json()
    assert set(error) == {"detail", "error_code", "path"}
    assert error["error_code"] == code
    assert error["path"] == response.request.url.path
    return error["detail"]
