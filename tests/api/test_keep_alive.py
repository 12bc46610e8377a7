"""When an idle connection is closed, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from api.access.keys import key_hash
from api.keep_alive import LEAVE_SECONDS
from api.protocol import Protocol
from tests.api.front import app_for
from tests.api.served import READY_SECONDS, served

GET = b"GET / HTTP/1.1\r\nHost: service\r\n\r\n"
IDLE_SECONDS = 0.4


class Brief(Protocol):
    """Keeps an idle connection for a moment."""

    latest: ClassVar[Protocol]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_keep_alive = IDLE_SECONDS  # type: ignore[assignment]
        Brief.latest = self


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(app_for(log_level="ERROR"), Brief) as listening:
        yield listening


def ask(connection: socket.socket) -> bytes:
    connection.sendall(GET)
    return connection.recv(65_536)


def test_who_asks_again_in_time_is_kept_however_long_it_takes(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        for _ in range(6):
            assert ask(connection).startswith(b"HTTP/1.1 200")
            time.sleep(IDLE_SECONDS / 3)


def test_an_idle_connection_is_closed_not_before_its_time(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        ask(connection)
        time.sleep(IDLE_SECONDS / 2)
        ask(connection)
        answered = time.monotonic()
        assert connection.recv(65_536) == b""
        assert time.monotonic() - answered >= IDLE_SECONDS * 0.9


def test_who_is_refused_before_its_body_is_whole_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Brief, "head_seconds", IDLE_SECONDS)
    guarded = app_for(api_key_hashes=key_hash("a key"), log_level="ERROR")
    head = b"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Length: 100\r\n\r\n"
    with (
        served(guarded, Brief) as listening,
        socket.create_connection(("127.0.0.1", listening), timeout=READY_SECONDS) as connection,
    ):
        connection.sendall(head + b"{")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401 ")
        connection.sendall(b" ")
        assert connection.recv(65_536) == b""


def end_unread(connection: socket.socket, asked: bytes) -> None:
    """Has the server's end come to the connection when `asked` is sent and nothing of it is read."""
    protocol = Brief.latest
    begun, sent = threading.Event(), threading.Event()

    def end() -> None:
        begun.set()
        sent.wait(READY_SECONDS)
        protocol.shutdown()

    protocol.loop.call_soon_threadsafe(end)
    begun.wait(READY_SECONDS)
    connection.sendall(asked)
    sent.set()


def rest(connection: socket.socket) -> bytes:
    """All that comes before the connection is closed."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    "asked", [GET, b"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Length: 2\r\n\r\n{}"]
)
@pytest.mark.parametrize("count", [1, 3])
def test_what_was_sent_before_the_server_ends_is_answered(
    port: int, asked: bytes, count: int
) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        connection.sendall(GET)
        while not connection.recv(65_536).endswith(b"}"):
            pass
        end_unread(connection, asked * count)
        answers = rest(connection)
    assert answers.count(b"HTTP/1.1 ") == count
    assert answers.count(b"connection: close") == 1


def test_who_is_silent_when_the_server_ends_is_hung_up_on(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        ask(connection)
        began = time.monotonic()
        end_unread(connection, b"")
        rest(connection)
    assert time.monotonic() - began >= LEAVE_SECONDS * 0.9
