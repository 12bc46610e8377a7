"""How long a job's body is waited for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from api.errors import RequestTimeoutError
from api.jobs.store import STAGING_SECONDS
from api.jobs.upload import LONGEST_WAIT_SECONDS, Upload
from tests.api.test_body import chunks, request_of

pytestmark = pytest.mark.anyio


async def read(messages: Iterable[Message], seconds: float) -> bytes:
    """The body, each piece of which was waited for so long."""
    ticks = itertools.count(0, seconds)
    upload = Upload(request_of(messages), 0.05, lambda: float(next(ticks)))
    return b"".join([piece async for piece in upload.pieces()])


def complaint(error: pytest.ExceptionInfo[RequestTimeoutError]) -> str:
    assert error.value.headers == {"Connection": "close"}
    return error.value.detail


async def test_the_pieces_come_as_they_are_sent() -> None:
    assert await read(chunks(b"one", b"", b"two"), 1) == b"onetwo"


async def test_a_client_that_falls_silent_is_not_waited_for() -> None:
    with pytest.raises(RequestTimeoutError) as caught:
        await read(chunks(b"one", b"two")[:1], 0)
    assert "nothing arrived for 0.05 seconds" in complaint(caught)


async def test_a_byte_now_and_then_is_too_slow() -> None:
    with pytest.raises(RequestTimeoutError) as caught:
        await read(chunks(*[b"x"] * 20), 5)
    assert "less than 4096 bytes a second" in complaint(caught)


async def test_a_slow_line_has_time_and_not_for_ever() -> None:
    piece = b"x" * 100_000
    assert len(await read(chunks(*[piece] * 80), 10)) == 8_000_000
    with pytest.raises(RequestTimeoutError) as caught:
        await read(chunks(*[piece] * 200), 10)
    assert "more than 900 seconds" in complaint(caught)
    assert LONGEST_WAIT_SECONDS * 2 < STAGING_SECONDS


async def test_a_client_that_left_is_no_longer_listened_to() -> None:
    upload = Upload(request_of([{"type": "http.disconnect"}]), 1)
    with pytest.raises(ClientDisconnect):
        await anext(upload.pieces())
    await upload.drain()


async def test_the_rest_is_read_to_its_end_and_silence_ends_it_too() -> None:
    for messages in (chunks(b"one", b"two"), chunks(b"one", b"two")[:1]):
        upload = Upload(request_of(messages), 0.05)
        await upload.drain()
        assert [piece async for piece in upload.pieces()] == []
