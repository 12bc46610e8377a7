"""One request and its answer: timed, counted, logged, and every error turned into the documented form.

The outermost layer but for CORS and the proxy's headers. Whatever is raised further in ends here: an `ApiError` in its
own status, anything else in a fixed sentence for the client and the whole trace for the log.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, InternalError
from api.logs import enabled
from api.metrics import ApiMetrics
from api.refusal import refusal

UNMATCHED = "unmatched"
CLIENT_GONE = 499  # not an HTTP status: what nginx writes when nobody waits for the answer any more
POLLED = frozenset({"/health", "/metrics"})

Headers = list[tuple[bytes, bytes]]

_ANSWER_LINES = "biometrics.answer_lines"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
_log = structlog.get_logger("api.exchange")


def add_answer_lines(scope: Scope, lines: bytes) -> None:
    """Headers for whatever answer this request gets, an error included: complete lines with names in lower case."""
    scope[_ANSWER_LINES] = scope.get(_ANSWER_LINES, b"") + lines


def answer_lines(scope: Scope) -> bytes:
    """What `add_answer_lines` was given for this request."""
    found: bytes = scope.get(_ANSWER_LINES, b"")
    return found


def answer_headers(scope: Scope) -> Headers:
    """The same, taken apart."""
    pairs = [line.partition(b": ") for line in answer_lines(scope).splitlines()]
    return [(name, value) for name, _, value in pairs]


def record(metrics: ApiMetrics, route: str, method: str, status: int, seconds: float) -> None:
    """Counts and times an answered request, and writes its line."""
    known_method = method if method in _METHODS else "other"
    metrics.observe_request(route, known_method, status, seconds)
    polled = route in POLLED
    if not enabled(logging.DEBUG if polled else logging.INFO):
        return
    write = _log.debug if polled else _log.info
    write(
        "request",
        route=route,
        method=known_method,
        status=status,
        duration_ms=round(seconds * 1000, 2),
    )


class Exchange:
    """ASGI middleware around everything that may refuse or answer a request."""

    def __init__(self, app: ASGIApp, metrics: ApiMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        method = scope["method"]
        if method == "HEAD":
            # The server drops the body of what it received as HEAD; the router need only know GET.
            scope = {**scope, "method": "GET"}
        answer = _Answer(scope, send)
        try:
            await self._app(scope, receive, answer.send)
        except ApiError as error:
            await answer.refuse(error, receive)
        except ClientDisconnect:
            answer.status = CLIENT_GONE
        except Exception:
            _log.exception("unexpected error", route=_route(scope))
            await answer.refuse(InternalError(), receive)
        finally:
            seconds = time.perf_counter() - began
            record(self._metrics, _route(scope), method, answer.status, seconds)


class _Answer:
    """Watches an answer leave, and adds what `add_answer_lines` was given."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.status = CLIENT_GONE  # until an answer begins

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            extra = answer_headers(self._scope)
            if extra:
                message["headers"] = [*message["headers"], *extra]
        await self._send(message)

    async def refuse(self, error: ApiError, receive: Receive) -> None:
        """Answers with the error, unless an answer has begun: then only breaking off is left."""
        if self.status != CLIENT_GONE:
            raise error
        await refusal(error, self._scope["path"])(self._scope, receive, self.send)


def _route(scope: Scope) -> str:
    """The route's template, so that a stranger's paths make neither metrics nor log lines."""
    route: Any = scope.get("route")
    if route is not None:
        return str(route.path)
    # The framework's own pages have an endpoint, no template and a fixed path.
    return str(scope["path"]) if "endpoint" in scope else UNMATCHED
