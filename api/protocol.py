"""One HTTP/1.1 connection as uvicorn's protocol has it, with bounds on heads and errors in the documented form.

What never becomes a request never reaches the application: it is refused here. `python -m api` uses this class; with
the bare uvicorn command, `--http api.protocol:Protocol` does. Beyond uvicorn's own:

- a head, or a chunk's head or trailers, of more than 64 KiB is refused with 400, as is all that is no HTTP;
- a head that is not complete after ten seconds is refused with 408, and who says nothing is hung up on;
- of requests sent before their answers only a few are taken: then the connection is closed behind the last answer;
- who has sent a whole request and closed the sending half (`nc -N`) still gets the answer;
- a wish to speak another protocol (WebSocket, h2c) is overheard, and the request answered as it stands;
- where a crowd waits, such a request is refused before the parser sees it (`api.turnstile`);
- a plain request for a route that scores is held until it is whole, and then takes the short way (`api.express`).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.asking import Asking
from api.call import Call
from api.errors import ApiError, InvalidInputError, RequestTimeoutError
from api.refusal import header_lines, written
from api.turnstile import Turnstile

MAX_HEAD_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0
# Behind the one that is being answered. One piece off the wire holds thousands of small ones, and a few hundred
# connections of those would keep everybody else waiting.
MAX_PIPELINED: Final = 4
# Closing on unread bytes resets the connection, and the client may lose the answer with it.
LINGER_BYTES: Final = 32 * 1024 * 1024
LINGER_SECONDS: Final = 5.0
# What is not whole by then takes the framework's way, which waits for it.
HOLD_SECONDS: Final = 0.1

_REQUEST_LINE: Final = re.compile(rb"[A-Za-z]+ (/[^\s?#]*)")


class Protocol(Turnstile):
    """A connection. Its timer runs whenever it owes no answer, so that none stays open for nothing."""

    head_seconds = HEAD_SECONDS
    linger_seconds = LINGER_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._timer: asyncio.TimerHandle | None = None
        self._in_message = False
        self._unparsed_bytes = 0  # received since the parser last had something to hand over
        self._deaf = False  # nothing that still arrives is looked at
        self._lingered_bytes = 0
        self._held: Asking | None = None  # what a request asks that is not whole yet
        self._pieces: list[bytes] = []
        self._began = 0.0
        self._due: tuple[Call, Asking, bytes] | None = (
            None  # whole, and called as soon as the parser is done
        )

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hand_over()
        self._disarm()
        super().connection_lost(exc)

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """True, which keeps the connection for the answer, where a whole request waits for one."""
        self._hand_over()
        cycle = self.cycle
        if self.scheme == "https" or cycle is None or cycle.response_complete or cycle.more_body:
            return None
        cycle.keep_alive = False
        return True

    def shutdown(self) -> None:
        self._hand_over()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            self._drop(data)
            return
        if not self._in_message and self.turned_away(data):
            self._disarm()
            return
        self._unset_keepalive_if_required()
        self._unparsed_bytes += len(data)
        try:
            self._feed(data)
            if self._unparsed_bytes > MAX_HEAD_BYTES:
                self._break_off(_too_long(), data)
        except httptools.HttpParserError as error:
            if not self._deaf and not self.transport.is_closing():
                self._break_off(self._complaint(error), data)
        self.close_behind_this()
        self._serve()
        self._watch()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_message = True

    def on_headers_complete(self) -> None:
        if self._unparsed_bytes > MAX_HEAD_BYTES and self._head_bytes() > MAX_HEAD_BYTES:
            raise ValueError
        if len(self.pipeline) >= MAX_PIPELINED:
            self._deaf = True
            self.cycle.keep_alive = False  # the last one taken
            raise ValueError  # ends the parser's work on what has arrived
        self._unparsed_bytes = 0
        self._disarm()
        if not self._wishes_another_protocol():
            self._held = self._plain()
            if self._held is None:
                super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed_bytes = 0
        if self._held is not None:
            self._pieces.append(body)
        elif not self._wishes_another_protocol():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed_bytes = 0
        if self._held is not None:
            self._in_message = False
            self._disarm()
            self._call(self._held)
        elif not self._wishes_another_protocol():
            self._in_message = False
            self._disarm()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        if not self._in_message and not self.pipeline:
            self._forget()
        super().on_response_complete()
        if self._in_message:  # a part of the next one has come already: nobody is idle
            self._unset_keepalive_if_required()
            self._watch()

    def _forget(self) -> None:
        """As before the first request. What was asked is a third of what a connection that waits for more keeps."""
        self.url = b""
        self.scope = self.headers = self.cycle = None  # type: ignore[assignment]

    def own_headers(self) -> bytes:
        """The lines that the server puts into every answer."""
        return header_lines(self.server_state.default_headers)

    def _plain(self) -> Asking | None:
        """What the request asks whose head is complete, if it may take the short way."""
        if self.express is None or self.flow.write_paused or self.transport.is_closing():
            return None
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return None
        self._began = time.perf_counter()
        return self.express.asking(self.url, self.headers)

    def _call(self, asking: Asking) -> None:
        call = Call(self, self.scope, self.parser.should_keep_alive(), self._began)
        self._due = call, asking, b"".join(self._pieces)
        self._held, self._pieces = None, []
        self.cycle = call  # type: ignore[assignment]

    def _serve(self) -> None:
        """Calls what has become whole; not in the parser's midst, for what it still holds comes after the answer."""
        if self._due is not None and self.express is not None:
            due, self._due = self._due, None
            self.express.serve(*due)

    def _hand_over(self) -> None:
        """What is held and not whole takes the framework's way from here."""
        if self._held is not None:
            self._disarm()
            pieces, self._held, self._pieces = self._pieces, None, []
            super().on_headers_complete()
            for piece in pieces:
                super().on_body(piece)

    def _feed(self, data: bytes) -> None:
        """Feeds the parser; a request with a wish for another protocol is fed again without the wish."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            version = self.parser.get_http_version().encode()
            lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
            lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(b"\r\n".join(lines) + b"\r\n\r\n" + data[upgrade.args[0] :])

    def _wishes_another_protocol(self) -> bool:
        return self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _watch(self) -> None:
        """Sees to it that a timer runs unless the connection owes an answer."""
        if self._held is not None:
            if self._timer is None:
                self._arm(HOLD_SECONDS, self._hand_over)
            return
        owes = self.cycle is not None and not self.cycle.response_complete
        if owes or self._deaf or self._timer or self.idle:
            return
        self._arm(self.head_seconds if self._in_message else self.timeout_keep_alive)

    def _break_off(self, error: ApiError, data: bytes) -> None:
        self._hand_over()
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._refuse(error, data)
        elif self.pipeline:
            self.transport.close()  # an answer to an earlier request may be half written
        elif cycle.response_started or not cycle.more_body:
            self._deaf = True
            cycle.keep_alive = False  # what came before is answered, and nothing after it
        else:
            cycle.disconnected = True
            cycle.message_event.set()
            self._refuse(error, data)

    def _complaint(self, error: httptools.HttpParserError) -> ApiError:
        if not isinstance(error, httptools.HttpParserCallbackError):
            return InvalidInputError(f"this is no valid HTTP request: {error}")
        if self._head_bytes() > MAX_HEAD_BYTES:
            return _too_long()
        return InvalidInputError("the request's path cannot be read; percent-encode it in ASCII")

    def _refuse(self, error: ApiError, data: bytes) -> None:
        """Answers in the documented form, then takes what is still on its way, within bounds."""
        head, body = written(error, self._path(data))
        head = STATUS_LINE[error.status] + self.own_headers() + head
        self.logger.info("Refused: %s", error.detail)
        self.transport.write(head + b"connection: close\r\n\r\n" + body)
        self._deaf = True
        self._disarm()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._arm(self.linger_seconds)

    def _path(self, data: bytes) -> str:
        found = _REQUEST_LINE.match(data)
        url = self.url.partition(b"?")[0] or (found[1] if found else b"/")
        return unquote(url.decode("utf-8", "replace"))

    def _drop(self, data: bytes) -> None:
        self._lingered_bytes += len(data)
        if self._lingered_bytes > LINGER_BYTES:
            self.transport.close()

    def _arm(self, seconds: float, then: Callable[[], None] | None = None) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, then or self._give_up)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        answered = self.cycle is not None and self.cycle.scope is self.scope
        if self._deaf or not self._in_message or answered:
            self.transport.close()
        else:
            self._refuse(
                RequestTimeoutError(
                    f"the head did not arrive within {self.head_seconds:g} seconds"
                ),
                b"",
            )


def _too_long() -> ApiError:
    return InvalidInputError(f"the request's head must be at most {MAX_HEAD_BYTES:,} bytes")
