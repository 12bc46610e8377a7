"""The one form in which an error leaves the service: `{"detail", "error_code", "path"}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.errors import (
    ApiError,
    InternalError,
    InvalidInputError,
    MethodNotAllowedError,
    NotFoundError,
)

MAX_PATH_LENGTH = 256
JSON = "application/json"


def refusal(error: ApiError, path: str) -> Response:
    """The answer for an error, as JSON, with the error's own headers."""
    return json_response(refusal_body(error, path), error.status, error.headers)


def refusal_body(error: ApiError, path: str) -> dict[str, object]:
    """The documented three keys. A path is the client's own text: it is cut short."""
    return {
        "detail": error.detail,
        "error_code": error.code,
        "path": path[:MAX_PATH_LENGTH],
    }


def written(error: ApiError, path: str) -> tuple[bytes, bytes]:
    """The answer for an error as its header lines and its body."""
    response = refusal(error, path)
    return header_lines(response.raw_headers), bytes(response.body)


def header_lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Headers as they stand in an answer, each a complete line."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def json_response(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response of compact JSON; `content` is anything that pydantic serialises."""
    return Response(to_json(content), status, headers, JSON)


async def refuse_http(request: Request, error: Exception) -> Response:
    """What the router has to say (404, 405), in the service's own form; OPTIONS is answered with what is allowed."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code != MethodNotAllowedError.status:
        known = NotFoundError() if error.status_code == NotFoundError.status else _other(error)
        return refusal(known, request.url.path)
    methods = set((error.headers or {}).get("Allow", "").split(", ")) | {"OPTIONS"}
    if "GET" in methods:
        methods.add("HEAD")  # api.exchange answers HEAD wherever there is a GET
    allow = {"Allow": ", ".join(sorted(methods))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    return refusal(MethodNotAllowedError(headers=allow), request.url.path)


def _other(error: HTTPException) -> ApiError:
    return InvalidInputError() if error.status_code < 500 else InternalError()
