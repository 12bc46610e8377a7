"""The short way of a whole request to a scoring route: from its connection to the queue and back, without a task.

What the framework spends on a request (a scope, a task, layers, a router, a response in two messages) is more than
reading, checking and answering it. The checks, the reader, the metrics, the log line and the words are those of the
framework's way; a test holds both to the same bytes. A request that is not whole, not plain or not for these routes
takes the framework's way (`api.protocol`).
"""

from __future__ import annotations

import asyncio
import contextlib
from codecs import BOM_UTF8
from collections.abc import Coroutine, Sequence
from functools import partial
from time import perf_counter
from typing import Any

import structlog
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.access.gate import Check
from api.access.rates import RateLimits
from api.asking import LARGE_BYTES, Asking
from api.call import Call
from api.errors import ApiError, InternalError, OverloadedError
from api.exchange import UNMATCHED, answer_lines, record
from api.parts import Parts
from api.plain_head import PlainHeads
from api.refusal import written
from api.reply import Reply
from api.rows import Row
from api.throttle import Throttle
from api.turned_away import Headers, TurnedAway

_log = structlog.get_logger("api.exchange")

# With one of these a request is more than a body for a route.
_NOT_PLAIN = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_OK = 200


class Express:
    """Serves calls. `checks` are those of the framework's way; what `proxies` forward of a client is believed."""

    def __init__(
        self,
        parts: Parts,
        askings: Sequence[Asking],
        checks: Sequence[Check],
        proxies: list[str],
    ) -> None:
        self._parts = parts
        self._askings = {asking.path.encode(): asking for asking in askings}
        self._checks = checks
        self._proxies = ProxyHeadersMiddleware(_ignore, proxies) if proxies else None
        self._waiting: set[asyncio.Task[None]] = set()
        self._heads = PlainHeads(self.asking)
        self._turned_away = TurnedAway()
        self.throttle = Throttle()

    def asking(self, path: bytes, headers: list[tuple[bytes, bytes]]) -> Asking | None:
        """What a POST to `path` asks, or None where the framework must answer it."""
        asking = self._askings.get(path)
        if asking is None:
            return None
        length = b""
        for name, value in headers:
            if name == b"content-length":
                length = value
            elif name in _NOT_PLAIN:
                return None
        most = min(self._parts.settings.max_body_bytes, LARGE_BYTES)  # more is read bit by bit
        if not length.isdigit() or int(length) > most:
            return None
        return asking

    def turn_away(self, data: bytes, own_headers: Headers) -> bytes | None:
        """The refusal of one whole, plain request while too much waits, or None where it is to be looked at.

        `own_headers` are those that the server puts into every answer. What the request holds, whose it is and what
        limits it has are not asked: to find that out costs as much as an answer.
        """
        try:
            self._parts.scoring.refuse_if_crowded()
        except OverloadedError as error:
            asking: Asking | None = self._heads.asked_by(data)
            if asking is None:
                return None
            began = perf_counter()
            answer = self._turned_away.answer(error, asking.path, own_headers)
            record(self._parts.metrics, asking.path, "POST", error.status, perf_counter() - began)
            return answer
        return None

    def serve(self, call: Call, asking: Asking, body: bytes) -> None:
        """See to it that the call is answered, now or later; raises nothing."""
        scope = call.scope
        scope["method"], scope["path"] = "POST", asking.path
        try:
            if self._proxies is not None:
                _at_once(self._proxies(scope, _nothing, _nothing))
            for check in self._checks:
                if not isinstance(check, RateLimits):
                    _at_once(check(scope))
                elif not check.at_once(scope):
                    self._wait(check, call, asking, body)
                    return
        except Exception as error:
            self._refuse(call, asking, error, UNMATCHED)
        else:
            self._ask(call, asking, body)

    def _wait(self, check: Check, call: Call, asking: Asking, body: bytes) -> None:
        """Finishes the check, which is the last one, in a task: one call in a thousand."""

        async def go_on() -> None:
            try:
                await check(call.scope)
            except Exception as error:
                self._refuse(call, asking, error, UNMATCHED)
            else:
                self._ask(call, asking, body)

        task = asyncio.get_running_loop().create_task(go_on())
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    def _ask(self, call: Call, asking: Asking, body: bytes) -> None:
        scoring = self._parts.scoring
        try:
            scoring.refuse_if_crowded()
            rows = asking.read(body.removeprefix(BOM_UTF8), self._parts.clock())
            scoring.submit(rows, partial(self._tell, call, asking, rows))
        except Exception as error:
            self._refuse(call, asking, error, asking.path)

    def _tell(
        self, call: Call, asking: Asking, rows: list[Row], outcome: Reply | Exception
    ) -> None:
        try:
            if isinstance(outcome, Exception):
                raise outcome
            body = asking.word(rows, outcome)
        except Exception as error:
            self._refuse(call, asking, error, asking.path)
        else:
            head = b"content-length: %d\r\ncontent-type: application/json\r\n" % len(body)
            self._end(call, asking.path, _OK, head, body)

    def _refuse(self, call: Call, asking: Asking, error: Exception, route: str) -> None:
        """Answers with the error; `route` is what it counts under: a check knows of no route."""
        if not isinstance(error, ApiError):
            _log.error("unexpected error", route=route, exc_info=error)
            error = InternalError()
        head, body = written(error, asking.path)
        self._end(call, route, error.status, head, body)

    def _end(self, call: Call, route: str, status: int, head: bytes, body: bytes) -> None:
        call.answer(status, head + answer_lines(call.scope), body)
        record(self._parts.metrics, route, "POST", status, perf_counter() - call.began)


def _at_once(step: Coroutine[Any, Any, None]) -> None:
    """Runs what is a coroutine by its form only. Raises RuntimeError for one that waits: it would not be done."""
    with contextlib.suppress(StopIteration):
        step.send(None)
        step.close()
        raise RuntimeError("a check of the short way must not wait")


async def _ignore(_scope: Any, _receive: Any, _send: Any) -> None:
    """The application behind the proxies' headers: only what they change counts."""


async def _nothing(*_: Any) -> Any:
    """Neither receives nor sends."""
