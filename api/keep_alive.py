"""uvicorn's connection with one timer for all the times in which it is idle.

uvicorn starts a timer behind each answer and ends it before the next request, at up to 10 us a request. Here it runs
on, and looks again when it is due.

Where the server ends, uvicorn closes what is idle at once: on a request, too, that has come and was not read yet, which
resets the connection. Here it is read and answered.
"""

from __future__ import annotations

import time
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LEAVE_SECONDS: Final = 0.2  # a loop under load takes 0.05 s to come round to a connection


class KeepAlive(HttpToolsProtocol):
    """A connection that is closed when nothing has come for `timeout_keep_alive` seconds after an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle_since: float | None = None
        self._leaving = False

    @property
    def idle(self) -> bool:
        """Whether all is answered and nothing has come since."""
        return self._idle_since is not None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        super()._unset_keepalive_if_required()

    def shutdown(self) -> None:
        """Closes behind the answer that is owed; where none is, behind that to what comes in the next moment."""
        owes = self.cycle is not None and not self.cycle.response_complete
        if owes or self._leaving:
            super().shutdown()
        else:
            self._leaving = True
            self.flow.resume_reading()  # `api.throttle` may have it wait
            self.loop.call_later(LEAVE_SECONDS, self.shutdown)

    def close_behind_this(self) -> None:
        """Where the server ends, the request that came last is the last one."""
        if self._leaving and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """As uvicorn has it, but for the timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = time.monotonic()
        if self.timeout_keep_alive_task is None:
            self._look_in(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Closes what has been idle for long enough."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - time.monotonic()
        if left > 0:
            self._look_in(left)
        elif not self.transport.is_closing():
            self.transport.close()

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def _look_in(self, seconds: float) -> None:
        handler = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(seconds, handler)
