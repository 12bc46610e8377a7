"""Reads a request's body as bytes: chunked or not, of any or no Content-Type, bounded in length and in time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from api.errors import BodyTooLargeError, RequestTimeoutError

READ_SECONDS: Final = 10.0
MAX_LENGTH_DIGITS: Final = (
    15  # Python refuses to parse thousands of digits, with an error of its own
)

# What is left of a refused body is still on its way: the connection cannot carry another request.
_CLOSE: Final = {"Connection": "close"}


async def read_body(request: Request, max_bytes: int, seconds: float) -> bytes:
    """The whole body.

    Raises BodyTooLargeError as soon as the declared or counted length passes `max_bytes`, RequestTimeoutError when
    it is not complete after `seconds`, and ClientDisconnect when the client leaves.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > MAX_LENGTH_DIGITS or int(declared) > max_bytes):
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _collect(request, max_bytes)
    except TimeoutError:
        raise RequestTimeoutError(
            f"the body did not arrive within {seconds:g} seconds; send it again", headers=_CLOSE
        ) from None


async def _collect(request: Request, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        length += len(chunk)
        if length > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(max_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the body must be at most {max_bytes:,} bytes; send fewer patterns at once", headers=_CLOSE
    )
