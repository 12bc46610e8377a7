"""`GET /`, `/health`, `/stats` and `/metrics`: what an operator, a load balancer and Prometheus ask."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.documented import EVERYWHERE, OPERATIONS, STATISTICS, refusals, unhealthy
from api.errors import ApiError, InternalError, UnavailableError
from api.parts import Parts
from api.refusal import json_response, refusal_body
from api.responses import HealthyResponse, ServiceResponse, StatsResponse
from api.scrape import CONTENT_TYPE, scrape
from api.stats import stats
from api.version import SERVICE, VERSION

_HEALTH = unhealthy() | refusals("/health", (InternalError,))
_METRICS = refusals("/metrics", OPERATIONS) | {
    200: {
        "content": {
            "text/plain": {"schema": {"type": "string"}, "example": "prediction_count 1543\n"}
        }
    }
}


def operations_router(parts: Parts) -> APIRouter:
    """The four routes that tell how the service is."""
    router = APIRouter(tags=["Operations"])

    @router.get("/", response_model=ServiceResponse, responses=refusals("/", EVERYWHERE))
    async def service() -> Response:
        """Which service this is, in which version."""
        return json_response({"service": SERVICE, "version": VERSION, "docs": "/docs"})

    @router.get("/health", response_model=HealthyResponse, responses=_HEALTH)
    async def health(request: Request) -> Response:
        """Whether a worker with a model answers, asked through the queue at most once a second."""
        model = await parts.health.current()
        common = {"uptime_seconds": parts.health.uptime_seconds, "version": VERSION}
        if isinstance(model, ApiError):
            return _unhealthy(model, request.url.path, common)
        return json_response(
            {
                "status": "healthy",
                "model_loaded": True,
                "model_version": model["model_version"],
                "device": model["device"],
                **common,
            }
        )

    @router.get("/stats", response_model=StatsResponse, responses=refusals("/stats", STATISTICS))
    async def statistics() -> Response:
        """Statistics over all front ends and workers, and of this machine."""
        totals = await parts.scoring.totals()
        return json_response(stats(await parts.health.current(), totals))

    @router.get("/metrics", response_class=Response, responses=_METRICS)
    async def metrics() -> Response:
        """Prometheus' text format."""
        text = await scrape(parts.metrics, parts.scoring, parts.health)
        return Response(text, media_type=CONTENT_TYPE)

    return router


def _unhealthy(error: ApiError, path: str, common: dict[str, object]) -> Response:
    nothing = {"status": "unhealthy", "model_loaded": False, "model_version": None, "device": None}
    body = {**nothing, **common, **refusal_body(error, path)}
    return json_response(body, UnavailableError.status, error.headers)
