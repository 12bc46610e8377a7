from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from api.body import DRAIN_BYTES, READ_SECONDS, read_body
from api.errors import BodyTooLargeError, RequestTimeoutError

pytestmark = pytest.mark.anyio
LIMIT = 10


def chunks(*parts: bytes) -> list[Message]:
    last = len(parts) - 1
    return [
        {"type": "http.request", "body": part, "more_body": index < last}
        for index, part in enumerate(parts)
    ]


def request_of(
    messages: Iterable[Message], length: str | None = None, expect: str | None = None
) -> Request:
    """A request whose server delivers these messages, and then nothing more."""
    left = iter(messages)

    async def receive() -> Message:
        for message in left:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    given = {b"content-length": length, b"expect": expect}
    headers = [(name, value.encode()) for name, value in given.items() if value is not None]
    return Request({"type": "http", "headers": headers}, receive)


async def test_a_body_in_one_piece_is_returned_as_it_is() -> None:
    assert await read_body(request_of(chunks(b"{}")), LIMIT, READ_SECONDS) == b"{}"


async def test_a_body_in_pieces_is_put_together() -> None:
    assert await read_body(request_of(chunks(b"12", b"", b"345")), LIMIT, READ_SECONDS) == b"12345"


async def test_a_byte_order_mark_is_no_part_of_the_body() -> None:
    for pieces in ((b"\xef\xbb\xbf{}",), (b"\xef\xbb", b"\xbf{}")):
        assert await read_body(request_of(chunks(*pieces)), LIMIT, READ_SECONDS) == b"{}"


async def test_a_body_may_be_as_long_as_the_limit() -> None:
    assert await read_body(request_of(chunks(b"x" * LIMIT)), LIMIT, READ_SECONDS) == b"x" * LIMIT


async def test_a_piece_too_many_is_refused_though_the_rest_never_arrives() -> None:
    endless: list[Message] = chunks(b"x" * LIMIT, b"x", b"")[:2]
    with pytest.raises(BodyTooLargeError) as caught:
        await read_body(request_of(endless), LIMIT, 0.01)
    assert "at most 10 bytes" in caught.value.detail
    assert caught.value.headers == {"Connection": "close"}


@pytest.mark.parametrize("length", [str(DRAIN_BYTES + 1), "9" * 5000])
async def test_a_declared_length_beyond_all_measure_is_refused_unread(length: str) -> None:
    messages = iter(chunks(b"x"))
    with pytest.raises(BodyTooLargeError):
        await read_body(request_of(messages, length), LIMIT, READ_SECONDS)
    assert len(list(messages)) == 1


async def test_a_declared_length_beyond_the_limit_is_refused_once_the_body_is_thrown_away() -> None:
    messages = iter(chunks(b"x" * 6, b"x" * 5))
    with pytest.raises(BodyTooLargeError):
        await read_body(request_of(messages, "11"), LIMIT, READ_SECONDS)
    assert list(messages) == []


async def test_a_client_that_waits_to_be_asked_for_its_body_is_refused_unread() -> None:
    messages = iter(chunks(b"x" * 11))
    request = request_of(messages, "11", expect="100-continue")
    with pytest.raises(BodyTooLargeError):
        await read_body(request, LIMIT, READ_SECONDS)
    assert len(list(messages)) == 1


async def test_the_rest_of_a_body_that_counts_too_long_is_thrown_away_before_the_answer() -> None:
    messages = iter(chunks(b"x" * 11, b"x", b"x"))
    with pytest.raises(BodyTooLargeError):
        await read_body(request_of(messages), LIMIT, READ_SECONDS)
    assert list(messages) == []


async def test_a_body_that_is_too_long_in_one_piece_is_refused_at_once() -> None:
    with pytest.raises(BodyTooLargeError):
        await read_body(request_of(chunks(b"x" * 11)), LIMIT, math.inf)


async def test_only_so_much_of_a_body_is_thrown_away() -> None:
    piece = b"x" * (DRAIN_BYTES // 4)
    messages = iter(chunks(*[piece] * 8))
    with pytest.raises(BodyTooLargeError):
        await read_body(request_of(messages), LIMIT, READ_SECONDS)
    assert len(list(messages)) == 3


@pytest.mark.parametrize("length", ["-1", "abc", "", "2"])
async def test_a_length_that_says_nothing_is_counted_instead(length: str) -> None:
    assert await read_body(request_of(chunks(b"{}"), length), LIMIT, READ_SECONDS) == b"{}"


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    unfinished: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]
    with pytest.raises(RequestTimeoutError) as caught:
        await read_body(request_of(unfinished), LIMIT, 0.01)
    assert "within 0.01 seconds" in caught.value.detail
    assert caught.value.headers == {"Connection": "close"}


async def test_a_client_that_leaves_ends_the_reading() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(request_of([{"type": "http.disconnect"}]), LIMIT, READ_SECONDS)
