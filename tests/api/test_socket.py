"""What only shows on a real connection: chunks, missing headers, slow and oversized bodies."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator

import pytest

from tests.api.front import app_for, request_body
from tests.api.served import exchange, served

BODY = json.dumps(request_body()).encode()
HEAD = b"POST /predict HTTP/1.1\r\nHost: service\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(app_for(read_seconds=0.2, max_body_bytes=4096)) as listening:
        yield listening


def parts(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and body of a raw answer."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, rest


def chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def test_a_chunked_body_without_a_content_type_is_scored(port: int) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    answer = exchange(port, head, chunk(BODY[:20]), chunk(BODY[20:]), chunk(b""))
    status, headers, body_of_answer = parts(answer)
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert json.loads(body_of_answer)["confidence_score"] == 65


@pytest.mark.parametrize(
    "content_type",
    [b"", b"Content-Type: text/plain\r\n", b"Content-Type: application/x-www-form-urlencoded\r\n"],
)
def test_the_content_type_does_not_matter(port: int, content_type: bytes) -> None:
    length = f"Content-Length: {len(BODY)}\r\n\r\n".encode()
    assert parts(exchange(port, HEAD + content_type + length + BODY))[0] == 200


def test_a_post_without_any_body_is_invalid_input(port: int) -> None:
    status, _, body_of_answer = parts(exchange(port, HEAD + b"\r\n"))
    assert status == 400
    assert json.loads(body_of_answer)["error_code"] == "INVALID_INPUT"


def test_a_declared_length_beyond_the_limit_is_refused_unread(port: int) -> None:
    status, headers, body_of_answer = parts(
        exchange(port, HEAD + b"Content-Length: 999999999999\r\n\r\n")
    )
    assert status == 413
    assert headers["connection"] == "close"
    assert json.loads(body_of_answer)["error_code"] == "BODY_TOO_LARGE"


def test_a_chunked_body_beyond_the_limit_is_refused_before_its_end(port: int) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    status, _, body_of_answer = parts(exchange(port, head, chunk(b" " * 5000)))
    assert status == 413
    assert json.loads(body_of_answer)["error_code"] == "BODY_TOO_LARGE"


def test_a_body_that_never_ends_is_given_up(port: int) -> None:
    status, headers, body_of_answer = parts(exchange(port, HEAD + b"Content-Length: 100\r\n\r\n{"))
    assert status == 408
    assert headers["connection"] == "close"
    assert json.loads(body_of_answer)["error_code"] == "REQUEST_TIMEOUT"


def test_a_connection_is_kept_for_the_next_request(port: int) -> None:
    first = HEAD.replace(b"Connection: close\r\n", b"")
    length = f"Content-Length: {len(BODY)}\r\n\r\n".encode()
    answer = exchange(port, first + length + BODY, HEAD + length + BODY)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_head_has_the_headers_of_get_and_no_body(port: int) -> None:
    status, headers, body_of_answer = parts(
        exchange(port, HEAD.replace(b"POST /predict", b"HEAD /") + b"\r\n")
    )
    assert status == 200
    assert int(headers["content-length"]) > 0
    assert body_of_answer == b""


def test_a_client_that_sends_megabytes_before_it_reads_gets_the_refusal(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/predict", body=b" " * 5_000_000)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error_code"] == "BODY_TOO_LARGE"
    connection.close()
