"""Asks an oracle as a Substrate node's off-chain worker does: over a plain socket, with a chunked body, without a
Content-Type, without a User-Agent, following no redirect, and waiting two seconds in all.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

DEADLINE_SECONDS = 2.0
CHUNK_BYTES = 100  # small, so that a body always comes in several
PATH = "/chain/score"
MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Address:
    """Where one front end of an oracle listens."""

    host: str
    port: int


async def ask(
    address: Address, body: bytes, path: str = PATH, seconds: float = DEADLINE_SECONDS
) -> tuple[int, bytes] | None:
    """Status and body of the answer, None where none came by the deadline."""
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(address, body, path)
    except (TimeoutError, OSError, EOFError, ValueError, IndexError):
        return None


async def _exchange(address: Address, body: bytes, path: str) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(address.host, address.port, limit=MOST_BYTES)
    try:
        writer.write(
            f"POST {path} HTTP/1.1\r\nhost: {address.host}:{address.port}\r\n"
            "transfer-encoding: chunked\r\nconnection: close\r\n\r\n".encode()
        )
        for start in range(0, len(body), CHUNK_BYTES):
            piece = body[start : start + CHUNK_BYTES]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        return int(head.split(None, 2)[1]), await reader.read(-1)
    finally:
        writer.close()
