"""What never becomes a request, who never finishes one, and who leaves: over real connections."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from api.protocol import LINGER_BYTES, MAX_HEAD_BYTES, MAX_PIPELINED, Protocol
from tests.api.front import app_for, request_body
from tests.api.served import READY_SECONDS, exchange, served
from tests.api.stub_scoring import StubScoring

POST = b"POST /predict HTTP/1.1\r\nHost: service\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = json.dumps(request_body()).encode()
LENGTH = f"Content-Length: {len(BODY)}\r\n\r\n".encode()
GET = b"GET / HTTP/1.1\r\nHost: service\r\n"
CLOSE = b"Connection: close\r\n\r\n"


class Impatient(Protocol):
    """The same, with less patience than users' connections need."""

    head_seconds = 0.3
    linger_seconds = 0.3


class Holding(StubScoring):
    """Holds its answers back between `hold` and `release`, from another thread than the server's."""

    async def start(self) -> None:
        await super().start()
        self._loop = asyncio.get_running_loop()

    def hold(self) -> None:
        self.gate.clear()
        self.rows.clear()

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self.gate.set)


@pytest.fixture(scope="module")
def stub() -> Holding:
    return Holding()


@pytest.fixture(scope="module")
def port(stub: Holding) -> Iterator[int]:
    with served(app_for(stub, log_level="ERROR"), Impatient) as listening:
        yield listening


def refused(answer: bytes, path: str, status: int = 400, code: str = "INVALID_INPUT") -> str:
    """Asserts that the answer is one error in the documented form, and returns its detail."""
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert {"content-type: application/json", "connection: close"} <= set(lines)
    assert f"content-length: {len(body)}" in lines
    error: dict[str, str] = json.loads(body)
    assert list(error) == ["detail", "error_code", "path"]
    assert (error["error_code"], error["path"]) == (code, path)
    return error["detail"]


def open_connections(port: int) -> int:
    """How many connections the server holds on to."""
    states = {psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT}
    found = psutil.Process().net_connections(kind="tcp")
    return sum(1 for each in found if each.laddr[1] == port and each.status in states)


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize(
    ("request_bytes", "path"),
    [
        (CHUNKED + b"zz\r\n", "/predict"),
        (POST + b"Content-Length: abc\r\n\r\n", "/predict"),
        (POST + b"Content-Length: -1\r\n\r\n", "/predict"),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "/predict"),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "/predict"),
        (b"BREW /predict?a=1 HTTP/1.1\r\n\r\n", "/predict"),
        (b"get /health HTTP/1.1\r\n\r\n", "/health"),
        ("GET /prédire HTTP/1.1\r\n\r\n".encode(), "/prédire"),
        (b"GET / HTTP/9.9\r\n\r\n", "/"),
        (b"\x16\x03\x01 hello\r\n\r\n", "/"),
    ],
)
def test_what_is_no_http_is_refused_in_the_documented_form(
    port: int, request_bytes: bytes, path: str
) -> None:
    assert "valid HTTP request" in refused(exchange(port, request_bytes), path)
    assert exchange(port, GET + CLOSE).startswith(b"HTTP/1.1 200")


def test_a_tunnel_is_refused(port: int) -> None:
    answer = exchange(port, b"CONNECT service:80 HTTP/1.1\r\nUpgrade: a\r\n\r\n")
    assert "path cannot be read" in refused(answer, "service:80")


@pytest.mark.parametrize(
    ("request_bytes", "path"),
    [
        (GET + b"X: " + b"x" * MAX_HEAD_BYTES, "/"),
        (GET + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", "/"),
        (GET + b"X: y\r\n" * MAX_HEAD_BYTES, "/"),
        (b"GET /" + b"x" * 2_000_000 + b" HTTP/1.1\r\n\r\n", "/" + "x" * 255),
        (CHUNKED + b"1\r\n{\r\n0\r\nX: " + b"x" * 600_000, "/predict"),
        (CHUNKED + b"1;" + b"x" * 600_000, "/predict"),
    ],
)
def test_a_head_beyond_the_bound_is_refused(port: int, request_bytes: bytes, path: str) -> None:
    detail = refused(exchange(port, request_bytes), path)
    assert "at most 65,536 bytes" in detail


def test_a_head_within_the_bound_is_taken_whatever_the_length_of_the_body(port: int) -> None:
    padding = b"X: " + b"x" * (MAX_HEAD_BYTES - 1024) + b"\r\n"
    body = BODY + b" " * MAX_HEAD_BYTES
    length = f"Content-Length: {len(body)}\r\n".encode()
    answer = exchange(port, POST + padding + length + CLOSE + body)
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_client_that_sends_all_of_a_long_head_before_it_reads_gets_the_refusal(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/" + "x" * 4_000_000)
    response = connection.getresponse()
    assert response.status == 400
    assert json.loads(response.read())["error_code"] == "INVALID_INPUT"
    connection.close()


def test_a_client_that_never_stops_is_hung_up_on(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        piece = b"x" * 1_000_000
        with pytest.raises(OSError, match=r"reset|pipe"):
            connection.sendall(piece * (4 * LINGER_BYTES // len(piece)))


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"])
def test_a_connection_that_asks_nothing_is_closed(port: int, sent: bytes) -> None:
    assert exchange(port, sent) == b""


def test_a_head_that_does_not_end_is_given_up(port: int) -> None:
    detail = refused(exchange(port, GET), "/", 408, "REQUEST_TIMEOUT")
    assert "within 0.3 seconds" in detail


def test_a_second_head_that_does_not_end_is_given_up_too(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.sendall(GET + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(POST)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    refused(answer, "/predict", 408, "REQUEST_TIMEOUT")


@pytest.mark.parametrize("path", [b"/predict", b"/predict/"])  # of the short way, and not
def test_a_head_begun_behind_a_request_is_given_up_too(port: int, path: bytes) -> None:
    first = POST.replace(b"/predict", path) + LENGTH + BODY
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.sendall(first + b"POST /predict HTTP")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 ")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    refused(answer, "/predict", 408, "REQUEST_TIMEOUT")


def test_silent_connections_do_not_stay_open(port: int) -> None:
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
    assert eventually(lambda: open_connections(port) == 0)
    for connection in silent:
        connection.close()


def test_a_client_that_has_closed_its_sending_half_gets_its_answer(
    port: int, stub: Holding
) -> None:
    stub.hold()
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.sendall(POST + LENGTH + BODY)
        connection.shutdown(socket.SHUT_WR)
        assert eventually(lambda: bool(stub.rows))
        stub.release()
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["confidence_score"] == 65


def test_half_a_request_before_the_sending_half_closes_gets_nothing(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.sendall(POST + LENGTH + BODY[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(65_536) == b""


def test_a_client_that_left_while_its_answer_was_made_leaves_no_connection_behind(
    port: int, stub: Holding
) -> None:
    stub.hold()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(POST + LENGTH + BODY)
        assert eventually(lambda: bool(stub.rows))
    stub.release()
    assert eventually(lambda: open_connections(port) == 0)


def test_rubbish_after_a_request_does_not_take_its_answer_away(port: int) -> None:
    answer = exchange(port, POST + LENGTH + BODY + b"rubbish\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [(b"/predict", 405, "METHOD_NOT_ALLOWED"), (b"/ws", 404, "NOT_FOUND")],
)
def test_a_wish_for_a_websocket_is_answered_as_if_it_were_not_there(
    port: int, caplog: pytest.LogCaptureFixture, path: bytes, status: int, code: str
) -> None:
    wish = b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n"
    head = b"GET " + path + b" HTTP/1.1\r\nHost: service\r\nConnection: Upgrade, close\r\n"
    answer = exchange(port, head + wish + b"\r\n")
    refused(answer, path.decode(), status, code)
    assert "pip install" not in caplog.text


def test_a_body_is_read_though_its_head_wishes_for_http_2(port: int) -> None:
    wish = b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"
    answer = exchange(port, POST + wish + LENGTH + BODY[:50], BODY[50:])
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["confidence_score"] == 65


def test_requests_sent_before_their_answers_are_answered_in_order(port: int) -> None:
    asked = GET + b"\r\n"
    answer = exchange(port, asked + b"GET /nowhere HTTP/1.1\r\nHost: service\r\n\r\n" + GET + CLOSE)
    assert [each[:3] for each in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


def test_of_a_thousand_requests_at_once_the_first_few_are_answered_and_no_more(port: int) -> None:
    answer = exchange(port, (GET + b"\r\n") * 1000)
    assert answer.count(b"HTTP/1.1 200") == 1 + MAX_PIPELINED
    assert answer.count(b"HTTP/1.1 ") == 1 + MAX_PIPELINED
    assert eventually(lambda: open_connections(port) == 0)
