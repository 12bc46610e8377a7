"""Runs the checks that are switched on, in order, before the router sees a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from api.access.https import HttpsOnly
from api.access.keys import ApiKeys
from api.access.networks import SCRAPED, OperationsNetworks
from api.access.rates import Counts, RateLimits
from api.metrics import ApiMetrics
from api.settings import Settings


class Check(Protocol):
    """Lets a request pass, or raises an `api.errors.ApiError`."""

    async def __call__(self, scope: Scope) -> None:
        """Looks at the request's head only."""


class Gate:
    """ASGI middleware; `api.exchange` outside of it turns what a check raises into an answer."""

    def __init__(self, app: ASGIApp, checks: tuple[Check, ...]) -> None:
        self._app = app
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for check in self._checks:
                await check(scope)
        await self._app(scope, receive, send)


def checks_for(
    settings: Settings, metrics: ApiMetrics, counts: Counts, clock: Callable[[], float]
) -> tuple[Check, ...]:
    """The checks that the settings switch on: the cheapest first, and counting last."""
    checks: list[Check] = []
    guarded = SCRAPED if settings.operations_networks else frozenset[str]()
    if settings.https_only:
        checks.append(HttpsOnly(guarded))
    if settings.operations_networks:
        checks.append(OperationsNetworks(settings.operations_networks))
    if settings.api_key_hashes:
        checks.append(ApiKeys(settings.api_key_hashes, guarded))
    if settings.rate_limits:
        checks.append(RateLimits(settings.rate_limits, counts, metrics, clock))
    return tuple(checks)
