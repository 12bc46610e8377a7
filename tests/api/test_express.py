"""The short way and the framework's own must not be told apart from outside, except by the clock."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from redis import Redis
from starlette.types import Scope
from structlog.testing import capture_logs

from api.access.keys import key_hash
from api.errors import OverloadedError
from api.exchange import CLIENT_GONE
from tests.api.front import app_for, request_body, request_with
from tests.api.served import READY_SECONDS, exchange, served
from tests.api.stub_scoring import StubScoring

KEY = b"X-API-Key: a key\r\n"
CLOSE = b"Connection: close\r\n"
GOOD = json.dumps(request_body()).encode()
SETTINGS: dict[str, Any] = {
    "api_key_hashes": key_hash("a key"),
    "max_body_bytes": 2048,
    "trusted_proxies": "127.0.0.0/8",
}


def post(body: bytes, path: bytes = b"/predict", more: bytes = KEY, length: int = -1) -> bytes:
    """A request as a client writes it."""
    counted = len(body) if length < 0 else length
    head = b"POST %b HTTP/1.1\r\nHost: service\r\n%bContent-Length: %d\r\n\r\n"
    return head % (path, more, counted) + body


def one(**changes: Any) -> bytes:
    return json.dumps(request_body(**changes)).encode()


def chunked(body: bytes) -> bytes:
    head = b"POST /predict HTTP/1.1\r\nHost: service\r\nTransfer-Encoding: chunked\r\n" + KEY
    return head + b"\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def batch(*items: dict[str, Any]) -> bytes:
    return post(json.dumps(list(items)).encode(), b"/batch-predict")


REQUESTS = [
    post(GOOD),
    post(b"\xef\xbb\xbf" + GOOD),
    post(one(did="0x742d35...")),
    post(json.dumps(request_with(typing_speed_wpm=500)).encode()),
    post(b"{"),
    post(b""),
    post(b"\xff\xfe"),
    post(b" " * 2048),
    post(b" " * 3000),
    post(GOOD, b"/predict?page=2"),
    post(GOOD, b"/predict/"),
    post(GOOD, b"/%70redict"),
    post(GOOD, b"//predict"),
    post(GOOD, more=b""),
    post(GOOD, more=b"X-API-Key: wrong\r\n"),
    post(GOOD, more=KEY + b"Origin: https://a.example\r\n"),
    post(GOOD, more=KEY + b"Origin: https://b.example\r\n"),
    post(GOOD, more=KEY + b"X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\n"),
    post(GOOD, more=KEY + b"Expect: 100-continue\r\n"),
    post(GOOD, more=KEY + b"Content-Type: text/plain\r\nAccept-Encoding: gzip\r\n"),
    post(GOOD, more=KEY + b"Connection: keep-alive, x\r\n"),
    post(GOOD).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    post(GOOD).replace(b"POST", b"PUT", 1),
    post(GOOD).replace(b"POST", b"GET", 1),
    post(GOOD).replace(b"Content-Length: %d\r\n" % len(GOOD), b"", 1),
    post(GOOD).replace(b"Content-Length", b"content-lENGTH", 1),
    chunked(GOOD),
    b"OPTIONS /predict HTTP/1.1\r\nHost: service\r\n\r\n",
    b"HEAD /predict HTTP/1.1\r\nHost: service\r\n\r\n",
    batch(*[request_body()] * 3),
    batch(request_body(), request_body(did="0xyz")),
    batch(),
    post(GOOD, b"/batch-predict"),
    post(GOOD) + post(one(did="did:example:b")) + post(b"{"),
    post(GOOD) + b"GET /predict HTTP/1.1\r\nHost: service\r\n\r\n" + post(GOOD),
    post(GOOD) + b"rubbish\r\n\r\n",
]


def asked(port: int, request: bytes) -> bytes:
    """All that comes back for a request after which the client says nothing more; the date apart.

    Whether the server hears that before it answers, and says that it closes too, is chance. So that is left out unless
    the request asks for it.
    """
    to_be_closed = b"connection: close" in request.lower()
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.sendall(request)
        if not to_be_closed:
            connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    if not to_be_closed:
        answer = re.sub(rb"\r\nconnection: close", b"", answer)
    return re.sub(rb"\r\ndate: [^\r]+", b"", answer)


def spoken(app: FastAPI) -> tuple[list[bytes], list[str], list[dict[str, Any]]]:
    """Everything that a client sees of REQUESTS, then what was counted and what was logged."""
    with served(app) as port, capture_logs() as lines:
        seen = [asked(port, request) for request in REQUESTS]
        text = asked(port, b"GET /metrics HTTP/1.1\r\nHost: service\r\n" + KEY + b"\r\n").decode()
    counted = re.findall(r"^biometrics_(?:requests_total|\w+_count).*$", text, re.MULTILINE)
    varying = {"duration_ms", "exc_info"}
    logged = [{name: line[name] for name in line.keys() - varying} for line in lines]
    return seen, sorted(counted), logged


@pytest.mark.parametrize("failure", [None, RuntimeError("a bug"), OverloadedError("too much")])
def test_the_short_way_says_what_the_frameworks_says(failure: Exception | None) -> None:
    def made() -> FastAPI:
        stub = StubScoring()
        stub.failure = failure
        return app_for(stub, **SETTINGS)

    long = made()
    long.state.express = None
    theirs, their_counts, their_lines = spoken(long)
    ours, our_counts, our_lines = spoken(made())
    for request, mine, other in zip(REQUESTS, ours, theirs, strict=True):
        assert mine == other, request[:200]
    assert our_counts == their_counts
    assert our_lines == their_lines


@pytest.fixture
def app() -> FastAPI:
    return app_for()


@pytest.fixture
def port(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where the framework's own way ends in an error."""

    async def router(*_args: Any) -> None:
        raise AssertionError

    with served(app) as listening:
        monkeypatch.setattr(app, "middleware_stack", router)
        yield listening


@pytest.mark.parametrize("path", [b"/predict", b"/batch-predict"])
def test_the_routes_that_score_take_the_short_way(port: int, path: bytes) -> None:
    body = GOOD if path == b"/predict" else b"[" + GOOD + b"]"
    assert exchange(port, post(body, path, CLOSE)).startswith(b"HTTP/1.1 200")


def test_a_body_that_follows_its_head_at_once_still_takes_the_short_way(port: int) -> None:
    whole = post(GOOD, more=CLOSE)
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(whole[: -len(GOOD)])
        connection.sendall(GOOD)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("traced", [False, True])
def test_where_requests_are_traced_they_take_the_frameworks_way(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch, traced: bool
) -> None:
    monkeypatch.setattr("fastapi.telemetry._asgi._unconfigured", lambda _: not traced)
    with served(app):
        assert (app.state.express is None) == traced


@pytest.mark.parametrize("changes", [{"cors_origins": "https://a.example"}, {}])
def test_where_browsers_of_other_origins_are_answered_the_framework_words_the_headers(
    changes: dict[str, Any],
) -> None:
    assert (app_for(**changes).state.express is None) == bool(changes)


def test_a_request_that_stays_incomplete_is_given_up_by_the_frameworks_way() -> None:
    with served(app_for(read_seconds=0.2)) as listening:
        answer = exchange(listening, post(GOOD)[:-1])
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_who_leaves_with_half_a_request_sent_is_counted_as_gone() -> None:
    with served(app_for()) as listening, capture_logs() as lines:
        with socket.create_connection(("127.0.0.1", listening)) as connection:
            connection.sendall(post(GOOD)[:-1])
        for _ in range(500):
            if lines:
                break
            time.sleep(0.01)
    asked_for = [line for line in lines if line["event"] == "request"]
    assert [line["status"] for line in asked_for] == [CLIENT_GONE]


def test_nobody_passes_a_check_that_would_have_to_be_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def waiting(_scope: Scope) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("api.app.checks_for", lambda *_: (waiting,))
    with served(app_for()) as listening:
        answer = exchange(listening, post(GOOD, more=CLOSE))
    assert answer.startswith(b"HTTP/1.1 500 ")


def answers_within(limits: str, redis_url: str, count: int) -> list[bytes]:
    """What so many good requests of one client get where nothing was counted before."""
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    with served(app_for(redis_url=redis_url, rate_limits=limits)) as listening:
        return [exchange(listening, post(GOOD, more=CLOSE)) for _ in range(count)]


def test_a_lease_that_must_be_fetched_first_is_waited_for(redis_url: str) -> None:
    answers = answers_within("5000/minute", redis_url, 8)
    left = [int(re.findall(rb"ratelimit-remaining: (\d+)", answer)[0]) for answer in answers]
    assert [answer[:12] for answer in answers] == [b"HTTP/1.1 200"] * 8
    assert left == list(range(left[0], left[0] - 8, -1))


def test_one_request_too_many_is_refused_with_its_headers(redis_url: str) -> None:
    answers = answers_within("2/minute", redis_url, 3)
    assert [answer[9:12] for answer in answers] == [b"200", b"200", b"429"]
    assert b"\r\nratelimit-remaining: 0\r\n" in answers[2]
    assert b"\r\nretry-after: " in answers[2]


def test_who_is_hung_up_on_with_two_requests_under_way_is_told_nothing_more() -> None:
    stub = StubScoring()
    stub.gate.clear()
    with served(app_for(stub)) as listening:
        with socket.create_connection(("127.0.0.1", listening), timeout=READY_SECONDS) as client:
            client.sendall(post(GOOD) * 2 + b"rubbish\r\n\r\n")
            assert client.recv(1) == b""
        (call,) = stub.tasks
        call.get_loop().call_soon_threadsafe(stub.gate.set)
    assert call.done()
    assert call.exception() is None
