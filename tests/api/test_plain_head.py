from __future__ import annotations

import pytest

from api.plain_head import KEPT, MAX_BYTES, Headers, PlainHeads

HEAD = b"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Length: %d\r\n%b\r\n"
BODY = b'{"did": "x"}'


class Route:
    """Asks itself for whatever has a length; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, url: bytes, headers: Headers) -> str | None:
        self.asked.append(url)
        return "asked" if b"content-length" in dict(headers) else None


def request(body: bytes = BODY, more: bytes = b"") -> bytes:
    return HEAD % (len(body), more) + body


def test_one_whole_request_is_known() -> None:
    assert PlainHeads(Route()).asked_by(request()) == "asked"
    assert PlainHeads(Route()).asked_by(request(b"")) == "asked"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST ",
        request()[:-1],
        request() + b"P",
        request() * 2,
        b"\r\n" + request(),
        request(more=b"Connection: close\r\n"),
        request(more=b"Connection: upgrade\r\nUpgrade: h2c\r\n"),
        request(more=b"Content-Length: 12\r\n"),
        request(more=b"Transfer-Encoding: chunked\r\n"),
        request(more=b"no header\r\n"),
        request(more=b"X: " + b"x" * MAX_BYTES + b"\r\n"),
        request().replace(b"POST", b"GET"),
        request().replace(b"HTTP/1.1", b"HTTP/1.0"),
        request().replace(b"HTTP/1.1", b"HTTP/2.0"),
        request().replace(b"Content-Length: 12", b"Content-Length: -1"),
        request().replace(b"Content-Length", b"X-Length"),
    ],
)
def test_all_else_is_for_the_connections_own_parser(data: bytes) -> None:
    assert PlainHeads(Route()).asked_by(data) is None


def test_a_head_is_read_once_whatever_follows_it() -> None:
    route = Route()
    heads = PlainHeads(route)
    for byte in range(32, 127):
        assert heads.asked_by(request(bytes([byte]) * 12)) == "asked"
    assert route.asked == [b"/predict"]


def test_heads_without_end_are_not_kept_without_end() -> None:
    heads = PlainHeads(Route())
    for number in range(KEPT + 10):
        heads.asked_by(request(more=b"X-Number: %d\r\n" % number))
    assert heads._look.cache_info().currsize == KEPT
