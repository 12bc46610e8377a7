"""A body as it arrives, piece by piece, and what is left of it when the rest is not wanted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from starlette.requests import ClientDisconnect, Request

from api.errors import RequestTimeoutError

DRAIN_SECONDS: Final = 30.0
LONGEST_WAIT_SECONDS: Final = (
    900.0  # far below STAGING_SECONDS: what was sent first must not expire
)
PACE_FROM_SECONDS: Final = 30.0  # a client has so long to get going
SLOWEST_BYTES_A_SECOND: Final = (
    4096  # one that sends a byte now and then holds a place from the others
)
_CLOSE: Final = {"Connection": "close"}


class Upload:
    """One request's body. A client may be silent for `silent_seconds` between two pieces.

    What it is waited for in all is bounded, and so is its pace; the time that the service itself takes does not count.
    """

    def __init__(
        self,
        request: Request,
        silent_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = request
        self._silent_seconds = silent_seconds
        self._monotonic = monotonic
        self._waited_seconds = 0.0
        self._received_bytes = 0
        self._ended = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """What arrives. Raises RequestTimeoutError when that takes too long, ClientDisconnect when the client left."""
        while not self._ended:
            piece = await self._next()
            self._check_pace()
            yield piece

    async def drain(self) -> None:
        """Read the rest and forget it: a client that is still sending would not see why it was refused."""
        with contextlib.suppress(TimeoutError, RequestTimeoutError, ClientDisconnect):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended:
                    await self._next()

    def _check_pace(self) -> None:
        waited = self._waited_seconds
        if waited > LONGEST_WAIT_SECONDS:
            why = f"the body took more than {LONGEST_WAIT_SECONDS:g} seconds"
        elif waited > PACE_FROM_SECONDS and self._received_bytes < waited * SLOWEST_BYTES_A_SECOND:
            why = f"the body comes at less than {SLOWEST_BYTES_A_SECOND} bytes a second"
        else:
            return
        self._ended = True
        raise RequestTimeoutError(
            f"{why}; compress it with gzip or send several jobs", headers=_CLOSE
        )

    async def _next(self) -> bytes:
        began = self._monotonic()
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
        self._waited_seconds += self._monotonic() - began
        self._ended = not message.get("more_body", False)
        piece: bytes = message.get("body", b"")
        self._received_bytes += len(piece)
        return piece
