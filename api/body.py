"""Reads a request's body as bytes: chunked or not, of any or no Content-Type, bounded in length and in time."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import math
from typing import Final

from starlette.requests import ClientDisconnect, Request

from api.errors import BodyTooLargeError, RequestTimeoutError

READ_SECONDS: Final = 10.0
# Many clients send all before they read; closing on unread bytes would reset the connection and lose the answer.
DRAIN_BYTES: Final = 32 * 1024 * 1024
MAX_LENGTH_DIGITS: Final = (
    15  # Python refuses to parse thousands of digits, with an error of its own
)

# What is left of a refused body is still on its way: the connection cannot carry another request.
_CLOSE: Final = {"Connection": "close"}


async def read_body(request: Request, max_bytes: int, seconds: float) -> bytes:
    """The whole body, without the byte order mark that some editors put before a text.

    Raises BodyTooLargeError where the declared or counted length passes `max_bytes`, once the rest has been thrown away
    (of up to 32 MiB, within `seconds`; not where the client waits for `100 Continue`), RequestTimeoutError when it is
    not complete after `seconds`, and ClientDisconnect when the client leaves.
    """
    declared = _declared_bytes(request)
    if declared > max_bytes:
        if declared <= DRAIN_BYTES and "expect" not in request.headers:
            await _drain(request, seconds)
        raise _too_large(max_bytes)
    try:
        async with asyncio.timeout(seconds):
            chunks, more = await _collect(request, max_bytes)
    except TimeoutError:
        raise RequestTimeoutError(
            f"the body did not arrive within {seconds:g} seconds; send it again", headers=_CLOSE
        ) from None
    if chunks is None:
        if more:
            await _drain(request, seconds)
        raise _too_large(max_bytes)
    return b"".join(chunks).removeprefix(codecs.BOM_UTF8)


def _declared_bytes(request: Request) -> float:
    declared = request.headers.get("content-length", "")
    if not declared.isdecimal():
        return 0
    return int(declared) if len(declared) <= MAX_LENGTH_DIGITS else math.inf


async def _collect(request: Request, max_bytes: int) -> tuple[list[bytes] | None, bool]:
    """The body's pieces, or None as soon as it is too long; and whether more is to come."""
    chunks: list[bytes] = []
    length = 0
    while True:
        chunk, more = await _receive(request)
        length += len(chunk)
        if length > max_bytes:
            return None, more
        chunks.append(chunk)
        if not more:
            return chunks, False


async def _drain(request: Request, seconds: float) -> None:
    left, more = DRAIN_BYTES, True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while more and left > 0:
                chunk, more = await _receive(request)
                left -= len(chunk)


async def _receive(request: Request) -> tuple[bytes, bool]:
    message = await request.receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)


def _too_large(max_bytes: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the body must be at most {max_bytes:,} bytes; send fewer patterns at once", headers=_CLOSE
    )
