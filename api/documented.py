"""The error answers of each route for the documentation, made from the error classes that answer."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from api import errors
from api.errors import ApiError
from api.responses import Refusal, UnhealthyResponse

Responses = dict[int | str, dict[str, Any]]

EVERYWHERE: Final = (errors.HttpsRequiredError, errors.InternalError)
SCORING: Final = (
    *EVERYWHERE,
    errors.InvalidInputError,
    errors.UnauthorizedError,
    errors.RequestTimeoutError,
    errors.BodyTooLargeError,
    errors.RateLimitedError,
    errors.InferenceFailedError,
    errors.ModelNotLoadedError,
    errors.QueueUnavailableError,
    errors.HistoryUnavailableError,
    errors.OverloadedError,
    errors.UnsupportedMessageError,
    errors.DeadlineExceededError,
)
CHAIN: Final = (*SCORING, errors.ChainOffError, errors.HistoryRequiredError)
CHAIN_KEYS: Final = (*EVERYWHERE, errors.ChainOffError)
OPERATIONS: Final = (*EVERYWHERE, errors.UnauthorizedError, errors.ForbiddenError)
STATISTICS: Final = (*OPERATIONS, errors.QueueUnavailableError)

HEADERS: Final[dict[str, Any]] = {
    name: {"description": text, "schema": {"type": "string"}}
    for name, text in {
        "Retry-After": "Seconds to wait before another try.",
        "RateLimit-Limit": "Requests in the strictest window.",
        "RateLimit-Remaining": "Requests left in it.",
        "RateLimit-Reset": "Seconds until it ends.",
        "RateLimit-Policy": "Every window, as `requests;w=seconds`.",
    }.items()
}
_ALL: Final = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
_RETRY: Final = {"Retry-After": _ALL["Retry-After"]}
_LIMITS: Final = {name: reference for name, reference in _ALL.items() if name not in _RETRY}


def refusals(path: str, error_types: Iterable[type[ApiError]]) -> Responses:
    """The error responses of one route by status, an example for each code."""
    by_status: Responses = {}
    for error_type in error_types:
        response = by_status.setdefault(int(error_type.status), _empty(error_type))
        response["content"]["application/json"]["examples"][error_type.code] = {
            "value": _example(error_type, path)
        }
    return by_status


def limited(responses: Responses, example: object) -> Responses:
    """The responses of a rate-limited route: each tells where the client stands."""
    success: Responses = {
        200: {"headers": dict(_LIMITS), "content": {"application/json": {"example": example}}}
    }
    for response in responses.values():
        response["headers"] = response.get("headers", {}) | _LIMITS
    return success | responses


def unhealthy() -> Responses:
    """The 503 of the health check, which says more than other errors do."""
    return {
        503: {
            "model": UnhealthyResponse,
            "description": "No worker with a model answers",
            "headers": _RETRY,
        }
    }


def unhealthy_example() -> dict[str, Any]:
    """Apart from `unhealthy`, since the framework drops every null from what it is given."""
    return {
        "status": "unhealthy",
        "model_loaded": False,
        "model_version": None,
        "device": None,
        "uptime_seconds": 3600,
        "version": "1.0.0",
        **_example(errors.ModelNotLoadedError, "/health"),
    }


def _empty(error_type: type[ApiError]) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "model": Refusal,
        "description": HTTPStatus(error_type.status).phrase,
        "content": {"application/json": {"examples": {}}},
    }
    if error_type.default_retry_after_seconds is not None:
        empty["headers"] = dict(_RETRY)
    return empty


def _example(error_type: type[ApiError], path: str) -> dict[str, Any]:
    return {"detail": error_type.sentence, "error_code": error_type.code, "path": path}
