"""One HTTP/1.1 connection that has one request under way at a time: no pipelining."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

NO_ANSWER = 0
Done = Callable[[int], None]  # with the status, or NO_ANSWER when the connection broke


class Connection(asyncio.Protocol):
    """Sends bytes of a request and tells `done` the status of its answer. Opens itself again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._done: Done | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._keep = True

    async def open(self) -> None:
        """Connect. Raises OSError."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", self._port)

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent."""
        return self._transport is not None

    def ask(self, request: bytes, done: Done) -> None:
        """Send a request; `done` is called once. Must not be called before the last request's `done`."""
        self._done = done
        if self._transport is None:
            self._end(NO_ANSWER)
        else:
            self._transport.write(request)

    def close(self) -> None:
        """Close without an answer to what is under way."""
        self._done = None
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.connection_lost(None)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of an answer."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
            self._transport = None
        self._end(status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end(NO_ANSWER)

    def _end(self, status: int) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(status)
