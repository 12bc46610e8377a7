"""A body as it arrives, piece by piece, and what is left of it when the rest is not wanted."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect, Request

from api.errors import RequestTimeoutError

DRAIN_SECONDS: Final = 30.0
_CLOSE: Final = {"Connection": "close"}


class Upload:
    """One request's body. A client may be silent for `silent_seconds` between two pieces."""

    def __init__(self, request: Request, silent_seconds: float) -> None:
        self._request = request
        self._silent_seconds = silent_seconds
        self._ended = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """What arrives. Raises RequestTimeoutError when nothing does, ClientDisconnect when the client left."""
        while not self._ended:
            yield await self._next()

    async def drain(self) -> None:
        """Read the rest and forget it: a client that is still sending would not see why it was refused."""
        with contextlib.suppress(TimeoutError, RequestTimeoutError, ClientDisconnect):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended:
                    await self._next()

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._silent_seconds):
                message = await self._request.receive()
        except TimeoutError:
            self._ended = True
            raise RequestTimeoutError(
                f"nothing arrived for {self._silent_seconds:g} seconds; send it again",
                headers=_CLOSE,
            ) from None
        if message["type"] == "http.disconnect":
            self._ended = True
            raise ClientDisconnect
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        return piece
