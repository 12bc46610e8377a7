"""A request on the short way, as its connection sees it: uvicorn's cycle without a task, a queue and an event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

if TYPE_CHECKING:
    from api.protocol import Protocol

_CLOSE = b"connection: close\r\n"


class Call:
    """A whole request that waits for its answer. The attributes are those that a connection asks of its cycle."""

    __slots__ = ("began", "connection", "disconnected", "keep_alive", "response_complete", "scope")

    more_body = False
    response_started = False
    message_event = asyncio.Event()  # for nobody: a connection that is lost sets it

    def __init__(self, connection: Protocol, scope: Any, keep_alive: bool, began: float) -> None:
        self.connection = connection
        self.scope = scope
        self.began = began  # by time.perf_counter
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def answer(self, status: int, headers: bytes, body: bytes) -> None:
        """Write the whole answer, unless the client has left. `headers` are complete lines."""
        connection = self.connection
        # Where another request came behind this one, only that one was told of a connection that is lost.
        if self.disconnected or connection.transport.is_closing():
            return
        connection.transport.write(
            b"%b%b%b%b\r\n%b"
            % (
                STATUS_LINE[status],
                connection.own_headers(),
                headers,
                b"" if self.keep_alive else _CLOSE,
                body,
            )
        )
        self.response_complete = True
        if not self.keep_alive:
            connection.transport.close()
        connection.on_response_complete()
