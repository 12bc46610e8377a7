from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from api.errors import OverloadedError
from api.exchange import CLIENT_GONE, Exchange, add_answer_lines
from api.metrics import ApiMetrics
from tests.api.front import refused

pytestmark = pytest.mark.anyio
Inner = Callable[[Scope, Receive, Send], Awaitable[None]]


async def ask(inner: Inner, metrics: ApiMetrics, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(Exchange(inner, metrics))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.request(method, "/some/page")


def count(metrics: ApiMetrics, **labels: str) -> float:
    value = metrics.registry.get_sample_value("biometrics_requests_total", labels)
    return value or 0.0


async def crash(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise RuntimeError("the secret of did:web:example.org")


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(scope["method"])(scope, receive, send)


async def test_an_unexpected_error_is_a_fixed_sentence_outside_and_a_trace_inside() -> None:
    metrics = ApiMetrics()
    with capture_logs() as lines:
        response = await ask(crash, metrics)
    detail = refused(response, 500, "INTERNAL_ERROR")
    assert "secret" not in detail
    assert [line["event"] for line in lines] == ["unexpected error", "request"]
    assert lines[0]["exc_info"]
    assert count(metrics, route="unmatched", method="GET", status="500") == 1


async def test_an_error_of_the_service_answers_in_its_own_status_with_its_headers() -> None:
    async def overloaded(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise OverloadedError("too much", retry_after_seconds=3)

    response = await ask(overloaded, ApiMetrics())
    assert refused(response, 503, "OVERLOADED") == "too much"
    assert response.headers["retry-after"] == "3"


@pytest.mark.parametrize("inner", [hello, crash])
async def test_every_answer_carries_the_headers_that_were_asked_for(inner: Inner) -> None:
    async def marked(scope: Scope, receive: Receive, send: Send) -> None:
        add_answer_lines(scope, b"ratelimit-limit: 5\r\n")
        add_answer_lines(scope, b"x-other: 6: 7\r\n")
        await inner(scope, receive, send)

    response = await ask(marked, ApiMetrics())
    assert response.headers["ratelimit-limit"] == "5"
    assert response.headers["x-other"] == "6: 7"


async def test_an_error_after_the_answer_began_breaks_the_connection_off() -> None:
    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    metrics = ApiMetrics()
    with pytest.raises(Exception, match="went wrong inside the service"):
        await ask(half, metrics)
    assert count(metrics, route="unmatched", method="GET", status="200") == 1


async def test_head_is_answered_where_there_is_a_get() -> None:
    metrics = ApiMetrics()
    response = await ask(hello, metrics, "HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len("GET"))
    assert count(metrics, route="unmatched", method="HEAD", status="200") == 1


async def test_a_client_that_left_is_counted_and_gets_no_answer() -> None:
    async def gone(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    metrics = ApiMetrics()
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    scope = {"type": "http", "method": "POST", "path": "/predict"}
    await Exchange(gone, metrics)(scope, receive, send)
    assert sent == []
    assert count(metrics, route="unmatched", method="POST", status=str(CLIENT_GONE)) == 1


async def test_a_made_up_method_does_not_make_a_new_series() -> None:
    metrics = ApiMetrics()
    await ask(hello, metrics, "BREW")
    assert count(metrics, route="unmatched", method="other", status="200") == 1


async def test_what_is_not_http_passes_untouched() -> None:
    seen: list[str] = []

    async def lifespan(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_args: Any) -> Any:
        raise AssertionError

    await Exchange(lifespan, ApiMetrics())({"type": "lifespan"}, nothing, nothing)
    assert seen == ["lifespan"]
