"""Who is refused before being parsed gets, and leaves behind, what any other refused request does."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from api.protocol import Protocol
from api.throttle import MOST_AT_ONCE, Throttle
from tests.api.front import app_for
from tests.api.served import READY_SECONDS, exchange, served
from tests.api.stub_scoring import StubScoring
from tests.api.test_express import CLOSE, GOOD, KEY, REQUESTS, SETTINGS, post, spoken

KEYLESS = {name: value for name, value in SETTINGS.items() if name != "api_key_hashes"}
PLAIN = post(GOOD)


@pytest.fixture
def stub() -> StubScoring:
    stub = StubScoring()
    stub.crowded = True
    return stub


@pytest.fixture
def port(stub: StubScoring) -> Iterator[int]:
    with served(app_for(stub, log_level="ERROR")) as listening:
        yield listening


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS)


def answered(connection: socket.socket) -> bytes:
    """The status of the next answer, which is taken to come in one piece."""
    return connection.recv(65_536)[9:12]


def test_who_is_turned_away_is_answered_counted_and_logged_like_who_is_refused_later(
    stub: StubScoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    turned = app_for(stub, **KEYLESS)
    turn_away = turned.state.express.turn_away

    def noted(data: bytes, own_headers: Any) -> bytes | None:
        answer: bytes | None = turn_away(data, own_headers)
        made.extend([data] if answer else [])
        return answer

    monkeypatch.setattr(turned.state.express, "turn_away", noted)
    ours, our_counts, our_lines = spoken(turned)
    looked_at = app_for(stub, **KEYLESS)
    monkeypatch.setattr(looked_at.state.express, "turn_away", lambda *_: None)
    theirs, their_counts, their_lines = spoken(looked_at)
    for request, mine, other in zip(REQUESTS, ours, theirs, strict=True):
        # Whether the last of several answers says that the connection ends is a race with the client's own end.
        said = [each.replace(b"connection: close\r\n", b"") for each in (mine, other)]
        assert (mine == other) or (said[0] == said[1] and request.count(b" HTTP/1.") > 1), request
    assert our_counts == their_counts
    assert our_lines == their_lines
    assert PLAIN in made
    assert len(made) > 10


def test_in_a_crowd_nobody_is_asked_for_a_key(stub: StubScoring) -> None:
    with served(app_for(stub, **SETTINGS)) as port, connected(port) as connection:
        connection.sendall(post(GOOD, more=b""))
        assert answered(connection) == b"503"
        stub.crowded = False
        connection.sendall(post(GOOD, more=b""))
        assert answered(connection) == b"401"
        connection.sendall(post(GOOD, more=KEY))
        assert answered(connection) == b"200"


def test_a_connection_goes_on_after_each_refusal(stub: StubScoring, port: int) -> None:
    with connected(port) as connection:
        for crowded in (True, True, False, True, False, False):
            stub.crowded = crowded
            connection.sendall(PLAIN)
            assert answered(connection) == (b"503" if crowded else b"200")


def test_what_began_before_the_crowd_came_is_finished_as_it_began(
    stub: StubScoring, port: int
) -> None:
    stub.crowded = False
    with connected(port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(PLAIN[:40])
        time.sleep(0.05)  # so that it is read alone
        stub.crowded = True
        connection.sendall(PLAIN[40:])
        assert answered(connection) == b"503"
        connection.sendall(PLAIN)
        assert answered(connection) == b"503"


def test_behind_a_request_that_waits_for_its_answer_nothing_is_turned_away(
    stub: StubScoring, port: int
) -> None:
    stub.crowded = False
    stub.gate.clear()
    with connected(port) as connection:
        connection.sendall(PLAIN)
        time.sleep(0.05)
        stub.crowded = True
        connection.sendall(PLAIN)
        time.sleep(0.05)
        stub.tasks[0].get_loop().call_soon_threadsafe(stub.gate.set)
        seen = b""
        while seen.count(b"HTTP/1.1 ") < 2:
            seen += connection.recv(65_536)
    assert [part[:3] for part in seen.split(b"HTTP/1.1 ")[1:]] == [b"200", b"503"]


def test_who_comes_back_again_and_again_is_answered_each_time(port: int) -> None:
    with connected(port) as connection:
        for _ in range(2 * MOST_AT_ONCE):
            connection.sendall(PLAIN)
            assert answered(connection) == b"503"


def test_who_wants_the_connection_closed_has_it_closed(port: int) -> None:
    assert exchange(port, post(GOOD, more=CLOSE)).startswith(b"HTTP/1.1 503 ")


class Leaving(Protocol):
    """A connection of a server that is about to end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leaving = True


def test_where_the_server_ends_a_crowds_connections_are_closed_behind_the_refusal(
    stub: StubScoring,
) -> None:
    with served(app_for(stub), Leaving) as port:
        assert exchange(port, PLAIN).startswith(b"HTTP/1.1 503 ")


def test_a_turned_away_connection_does_not_hold_up_the_servers_end(stub: StubScoring) -> None:
    with served(app_for(stub)) as port:
        connection = connected(port)
        connection.sendall(PLAIN)
        assert answered(connection) == b"503"
    with connection:
        assert connection.recv(1) == b""


class Known(Protocol):
    """Notes who asks."""

    clients: ClassVar[list[Any]] = []

    def on_headers_complete(self) -> None:
        self.clients.append(self.scope["client"])
        super().on_headers_complete()


def test_no_request_is_served_whose_client_cannot_be_told_any_more(stub: StubScoring) -> None:
    stub.crowded = False
    at_once = struct.pack("ii", 1, 0)
    with served(app_for(stub), Known) as port:
        for _ in range(20):
            with connected(port) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                connection.sendall(PLAIN)
        assert exchange(port, post(GOOD, more=CLOSE)).startswith(b"HTTP/1.1 200 ")
    assert Known.clients
    assert None not in Known.clients


def test_whose_request_waits_to_be_read_is_answered_when_the_server_ends(stub: StubScoring) -> None:
    app = app_for(stub)
    app.state.express.throttle = Throttle(0)
    with served(app) as port:
        connection = connected(port)
        for _ in range(MOST_AT_ONCE + 1):
            connection.sendall(PLAIN)
            assert answered(connection) == b"503"
        connection.sendall(PLAIN)
    with connection:
        assert answered(connection) == b"503"
        assert connection.recv(1) == b""


def test_who_was_turned_away_and_says_nothing_more_is_hung_up_on(stub: StubScoring) -> None:
    class Brief(Protocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.timeout_keep_alive = 0.1  # type: ignore[assignment]

    with served(app_for(stub), Brief) as port:
        assert exchange(port, PLAIN).startswith(b"HTTP/1.1 503 ")
