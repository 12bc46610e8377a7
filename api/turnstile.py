"""A connection that costs little before its first request is read, and is refused without a look where a crowd waits.

In a flood most connections are new, and most requests are refused: what both cost decides how much is left for
answers. Where the two addresses of a connection are asked of the system at its beginning, as uvicorn does, it costs
half as much again.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl

from api.express import Express
from api.keep_alive import KeepAlive


class Turnstile(KeepAlive):
    """`express` is the application's short way, None where there is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.express = self._express_of(self.app)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As uvicorn has it, but for the addresses."""
        self.connections.add(self)
        self.transport = transport
        self.flow = FlowControl(transport)
        self.scheme = "https" if is_ssl(transport) else "http"

    def on_message_begin(self) -> None:
        """Asks for the addresses, which the request's scope names, once.

        Hangs up and raises ConnectionResetError where the client has reset the connection: whose request it was, which
        the rate limits count by, cannot be known any more.
        """
        if self.client is None:
            self.server = get_local_addr(self.transport)
            self.client = get_remote_addr(self.transport)
            if self.client is None and self.server is not None and self.server[1] is not None:
                self.transport.close()
                raise ConnectionResetError
        super().on_message_begin()

    def turned_away(self, data: bytes) -> bool:
        """Whether what came was a request for which there is no room, and was refused without being parsed.

        To be asked only between two requests.
        """
        if self.express is None or self._leaving or self.flow.write_paused:
            return False
        cycle = self.cycle
        if (cycle is not None and not cycle.response_complete) or self.transport.is_closing():
            return False
        answer = self.express.turn_away(data, self.server_state.default_headers)
        if answer is None:
            return False
        self.transport.write(answer)
        self.on_response_complete()
        self.express.throttle.refused(self.flow)
        return True

    def _express_of(self, app: Any) -> Express | None:
        """The application's short way, unless uvicorn has something of its own to do with each request."""
        log = self.config.access_log and self.access_log
        if log or self.root_path or self.limit_concurrency is not None:
            return None
        return getattr(getattr(app, "state", None), "express", None)
