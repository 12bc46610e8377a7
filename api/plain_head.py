"""Tells a head that says no more than how long a body for a scoring route is, without the connection's own parser.

Each distinct head is read once, by the same parser that reads every other, and what was found is kept by its bytes:
clients send the same few heads again and again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import httptools

# Longer heads, with cookies or tokens, take the ordinary way: what is kept has a bound.
MAX_BYTES: Final = 1024
KEPT: Final = 1024
_BEGIN: Final = b"POST "
_END: Final = b"\r\n\r\n"

Headers = list[tuple[bytes, bytes]]


class PlainHeads:
    """Heads of requests that keep their connection. `asked` tells what a path and headers ask, or None."""

    def __init__(self, asked: Callable[[bytes, Headers], Any]) -> None:
        self._asked = asked
        self._look = lru_cache(KEPT)(self._read)

    def asked_by(self, data: bytes) -> Any:
        """What one whole request asks, or None where `data` is not exactly that, or not plain."""
        if not data.startswith(_BEGIN):
            return None
        end = data.find(_END, 0, MAX_BYTES) + len(_END)
        if end < len(_END):
            return None
        asked, length = self._look(data[:end])
        return asked if len(data) == end + length else None

    def _read(self, head: bytes) -> tuple[Any, int]:
        """What the head asks, and the length of its body."""
        seen = _Head()
        parser = httptools.HttpRequestParser(seen)
        try:
            parser.feed_data(head)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return None, 0
        plain = seen.complete and parser.get_http_version() == "1.1" and parser.should_keep_alive()
        asked = self._asked(seen.url, seen.headers) if plain else None
        if asked is None:
            return None, 0
        return asked, int(dict(seen.headers)[b"content-length"])


class _Head:
    """What the parser hands over; the names are the parser's."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: Headers = []
        self.complete = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.complete = True
