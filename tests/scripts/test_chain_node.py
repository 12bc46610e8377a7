"""How a node asks, and what it takes for no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from scripts.chain_node import CHUNK_BYTES, Address, ask

pytestmark = pytest.mark.anyio
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[Address]:
    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield Address("127.0.0.1", listening.sockets[0].getsockname()[1])
    listening.close()


def answering(content: bytes, heard: list[bytes]) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n0\r\n\r\n"))
        writer.write(content)
        writer.close()

    return serve


async def test_a_body_travels_in_chunks_and_the_answer_comes_back_whole() -> None:
    heard: list[bytes] = []
    body = bytes(range(97, 122)) * 10
    async with server(answering(b"HTTP/1.1 200 OK\r\nx: y\r\n\r\nanswer", heard)) as address:
        assert await ask(address, body, "/there") == (200, b"answer")
    head, _, rest = heard[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /there HTTP/1.1")
    sizes = [int(line, 16) for line in rest.split(b"\r\n")[:-2:2]]
    assert sizes == [CHUNK_BYTES, CHUNK_BYTES, len(body) - 2 * CHUNK_BYTES, 0]


async def test_a_redirect_is_told_and_not_followed() -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: /else\r\n\r\n"
    heard: list[bytes] = []
    async with server(answering(moved, heard)) as address:
        assert await ask(address, b"body") == (307, b"")
    assert len(heard) == 1


@pytest.mark.parametrize("content", [b"", b"HTTP/1.1 200", b"nonsense\r\n\r\n"])
async def test_what_is_no_http_is_no_answer(content: bytes) -> None:
    async with server(answering(content, [])) as address:
        assert await ask(address, b"body") is None


async def test_what_takes_too_long_is_no_answer() -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    async with server(never) as address:
        assert await ask(address, b"body", seconds=0.1) is None
