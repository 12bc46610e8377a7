"""One connection, one request at a time."""

from __future__ import annotations

import asyncio

import pytest

from bench.connection import NO_ANSWER, Connection
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, GONE, REFUSAL

pytestmark = pytest.mark.anyio
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
CLOSING = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


async def ask(connection: Connection) -> int:
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    connection.ask(REQUEST, status.set_result)
    return await asyncio.wait_for(status, 10)


async def test_answers_come_one_after_the_other_whole_or_in_chunks(serve: Serve) -> None:
    connection = Connection(serve(lambda n: REFUSAL if n % 2 else ANSWER).port)
    await connection.open()
    assert [await ask(connection) for _ in range(4)] == [200, 503, 200, 503]
    assert connection.is_open
    connection.close()


@pytest.mark.parametrize(
    ("answer", "status"), [(GONE, NO_ANSWER), (CLOSING, 200), (b"nonsense\r\n\r\n", NO_ANSWER)]
)
async def test_a_connection_that_ended_says_so_and_can_be_opened_again(
    serve: Serve, answer: bytes, status: int
) -> None:
    connection = Connection(serve(lambda n: ANSWER if n else answer).port)
    await connection.open()
    assert await ask(connection) == status
    await asyncio.sleep(0)
    assert not connection.is_open
    assert await ask(connection) == NO_ANSWER
    await connection.open()
    assert await ask(connection) == 200
    connection.close()


async def test_a_closed_one_answers_nothing_more(serve: Serve) -> None:
    connection = Connection(serve(stall_at=0, stall_seconds=0.2).port)
    await connection.open()
    told: list[int] = []
    connection.ask(REQUEST, told.append)
    connection.close()
    await asyncio.sleep(0.3)
    assert told == []
