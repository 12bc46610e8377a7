"""Puts the front end together. Making an application opens nothing; its lifespan does.

`python -m api` serves it. So does
`uvicorn --factory api.app:create_app --http api.protocol:Protocol --ws none --no-proxy-headers`; the last flag, because
uvicorn on its own believes whatever a neighbour on the same machine forwards, and TRUSTED_PROXIES is to decide that.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psutil
from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from fastapi_swagger import patch_fastapi
from redis.asyncio import Redis
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.access.counts import RedisCounts
from api.access.gate import Check, Gate, checks_for
from api.access.keys import HEADER
from api.body import READ_SECONDS
from api.chain.door import open_door
from api.collector import calm_the_collector
from api.dispatch import Dispatcher
from api.exchange import Exchange
from api.express import Express
from api.health import Health
from api.identity import Identities
from api.jobs.desk import JobDesk
from api.logs import configure_logs
from api.metrics import ApiMetrics, forget_process
from api.openapi import describe
from api.parts import Parts
from api.ports import Scoring
from api.redis_client import open_redis
from api.refusal import refuse_http
from api.routes.chain import chain_router
from api.routes.dead_letters import dead_letters_router
from api.routes.jobs import jobs_router
from api.routes.operations import operations_router
from api.routes.scoring import askings, scoring_router
from api.rows import Reader
from api.settings import Settings, load_settings
from api.version import VERSION

_EXPOSED = [
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
    "Retry-After",
]


def create_app(
    settings: Settings | None = None,
    scoring: Scoring | None = None,
    *,
    clock: Callable[[], float] = time.time,
    read_seconds: float = READ_SECONDS,
) -> FastAPI:
    """The application, for the environment's settings unless others are given.

    `scoring` replaces the queue. Raises SettingsError when a setting is missing or wrong.
    """
    settings = settings or load_settings()
    metrics = ApiMetrics()
    scoring = scoring or Dispatcher(settings, metrics)
    limits_store = open_redis(settings.result_url)
    checks = checks_for(settings, metrics, RedisCounts(limits_store), clock)
    reader = Reader(Identities(settings.did_hash_key.get_secret_value()))
    parts = Parts(
        settings=settings,
        metrics=metrics,
        scoring=scoring,
        reader=reader,
        jobs=JobDesk(settings, reader, clock, read_seconds),
        health=Health(scoring, time.monotonic),
        clock=clock,
        read_seconds=read_seconds,
        chain=open_door(settings, scoring, metrics, clock),
    )
    app = FastAPI(
        title="Behavioral Biometrics",
        version=VERSION,
        lifespan=_lifespan(parts, limits_store),
        middleware=_middleware(parts, checks),
        exception_handlers={HTTPException: refuse_http},
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    patch_fastapi(app, redirect_from_root_to_docs=False)
    app.include_router(scoring_router(parts))
    app.include_router(chain_router(parts))
    app.include_router(operations_router(parts))
    app.include_router(jobs_router(parts))
    app.include_router(dead_letters_router(parts))
    app.state.express = _express(parts, checks)
    document = describe(app, keys_needed=bool(settings.api_key_hashes))
    app.openapi = lambda: document  # type: ignore[method-assign]
    return app


def create_served_app() -> FastAPI:
    """The application for a process that serves nothing else."""
    app = create_app()
    calm_the_collector()
    return app


def _lifespan(
    parts: Parts, limits_store: Redis
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if app._native_telemetry.enabled():
            app.state.express = None  # only the framework's way is traced
        configure_logs(parts.settings.log_level, parts.settings.log_format)
        psutil.cpu_percent()  # the first call has nothing to compare with
        await parts.scoring.start()
        await parts.jobs.start()
        try:
            yield
        finally:
            if parts.chain is not None:
                await parts.chain.close()
            await parts.scoring.close()
            await parts.jobs.close()
            await limits_store.aclose()
            forget_process(os.getpid())

    return lifespan


def _express(parts: Parts, checks: tuple[Check, ...]) -> Express | None:
    """The short way; none where browsers of other origins are answered, whose headers only the framework knows."""
    if parts.settings.cors_origins:
        return None
    proxies = [str(network) for network in parts.settings.trusted_proxies]
    return Express(parts, askings(parts), checks, proxies)


def _middleware(parts: Parts, checks: tuple[Check, ...]) -> list[Middleware]:
    """From the outside in: whom to believe, CORS, the exchange, and the gate in front of the router."""
    settings = parts.settings
    layers = [
        Middleware(Exchange, metrics=parts.metrics),
        Middleware(Gate, checks=checks),
    ]
    if settings.cors_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Content-Type", "Content-Encoding", "Idempotency-Key", HEADER],
            expose_headers=_EXPOSED,
        )
        layers.insert(0, cors)
    if settings.trusted_proxies:
        proxies = [str(network) for network in settings.trusted_proxies]
        layers.insert(0, Middleware(ProxyHeadersMiddleware, trusted_hosts=proxies))
    return layers
