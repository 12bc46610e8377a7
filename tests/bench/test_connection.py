"""One connection, one request at a time."""

from __future__ import annotations

import select

import pytest

from bench.connection import NO_ANSWER, Connection, status_of_whole
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, GONE, REFUSAL

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
CLOSING = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
OLD = b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ask(connection: Connection, request: bytes = REQUEST) -> int:
    if not connection.ask(request, 0):
        wait_for(connection, select.POLLOUT)
        while not connection.send_on():
            wait_for(connection, select.POLLOUT)
    while True:
        wait_for(connection, select.POLLIN)
        status = connection.read()
        if status is not None:
            return status


def wait_for(connection: Connection, event: int) -> None:
    poll = select.poll()
    poll.register(connection.socket, event)
    assert poll.poll(10_000)


def test_answers_come_one_after_the_other_whole_or_in_chunks(serve: Serve) -> None:
    connection = Connection(serve(lambda n: REFUSAL if n % 2 else ANSWER).port)
    assert [ask(connection) for _ in range(4)] == [200, 503, 200, 503]
    assert connection.is_open
    connection.close()


@pytest.mark.parametrize(
    ("answer", "status"),
    [(GONE, NO_ANSWER), (CLOSING, 200), (OLD, 200), (b"nonsense\r\n\r\n", NO_ANSWER)],
)
def test_a_connection_that_ended_says_so(serve: Serve, answer: bytes, status: int) -> None:
    connection = Connection(serve(lambda n: answer).port)
    assert ask(connection) == status
    assert not connection.is_open
    connection.close()


def test_where_nobody_listens_there_is_no_answer() -> None:
    connection = Connection(1)
    assert ask(connection) == NO_ANSWER
    connection.close()


def test_a_request_that_the_socket_does_not_take_at_once_arrives_whole(serve: Serve) -> None:
    server = serve()
    connection = Connection(server.port)
    body = bytes(range(256)) * 40_000
    assert (
        ask(connection, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        == 200
    )
    assert server.bodies == [body]
    connection.close()


@pytest.mark.parametrize("cut", range(1, len(REFUSAL)))
def test_an_answer_counts_once_it_is_whole_however_it_is_cut(cut: int) -> None:
    for answer, status in ((ANSWER, 200), (REFUSAL, 503)):
        if cut >= len(answer):
            continue
        connection, pieces = Connection(1), [answer[:cut], answer[cut:]]
        connection.socket.close()
        connection.socket = Pieces(pieces)  # type: ignore[assignment]
        assert [connection.read(), connection.read()] == [None, status]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (ANSWER, 200),
        (ANSWER.upper(), 200),
        (ANSWER.replace(b"200 OK", b"503 Busy"), 503),
        (ANSWER[:-1], 0),
        (ANSWER[:20], 0),
        (ANSWER + b"H", 0),
        (REFUSAL, 0),
        (CLOSING, 0),
        (OLD, 0),
        (b"", 0),
    ],
)
def test_only_a_whole_answer_of_a_connection_that_stays_is_read_without_a_parser(
    data: bytes, status: int
) -> None:
    assert status_of_whole(data) == status


class Pieces:
    """A socket that gives what it was made of."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)

    def recv(self, most: int) -> bytes:
        return next(self._pieces)
