"""One HTTP/1.1 connection that has one request under way at a time: no pipelining."""

from __future__ import annotations

import socket

import httptools

NO_ANSWER = 0  # in the place of a status: the connection broke
MOST_BYTES = 65_536


class Connection:
    """A socket that never blocks; whoever polls it calls `send_on` and `read`, until it is not `is_open` any more."""

    __slots__ = ("_complete", "_parser", "_unsent", "is_open", "number", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(("127.0.0.1", port))  # a failure shows in what is read
        self.is_open = True
        self.number = -1  # of the request under way
        self._unsent = b""
        self._parser: httptools.HttpResponseParser | None = None
        self._complete = False

    def ask(self, request: bytes, number: int) -> bool:
        """Send; False where some of it has to wait until the socket can be written."""
        self.number = number
        try:
            sent = self.socket.send(request)
        except BlockingIOError:
            sent = 0
        except OSError:
            return True  # what is read tells of it
        self._unsent = request[sent:]
        return not self._unsent

    def send_on(self) -> bool:
        """Send what had to wait; whether all has left."""
        return self.ask(self._unsent, self.number)

    def read(self) -> int | None:
        """The status of an answer that is whole now, None of one that is not, NO_ANSWER where the connection broke."""
        try:
            data = self.socket.recv(MOST_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.is_open = False
            return NO_ANSWER
        if self._parser is None:
            status = status_of_whole(data)
            if status:
                return status
            self._parser = httptools.HttpResponseParser(self)
        return self._parsed(self._parser, data)

    def close(self) -> None:
        """Close, whatever is under way."""
        self.is_open = False
        self.socket.close()

    def on_message_complete(self) -> None:
        """Called by the parser at the end of an answer, the only moment at which it can tell of the connection."""
        assert self._parser is not None
        self._complete = True
        self.is_open = bool(self._parser.should_keep_alive())

    def _parsed(self, parser: httptools.HttpResponseParser, data: bytes) -> int | None:
        """The same of an answer that came in pieces or in chunks, or is the last one of its connection."""
        try:
            parser.feed_data(data)
        except httptools.HttpParserError:
            self.is_open = False
            return NO_ANSWER
        if not self._complete:
            return None
        self._complete, self._parser = False, None
        return int(parser.get_status_code())


def status_of_whole(data: bytes) -> int:
    """The status of an answer that is whole, says its length and keeps its connection; 0 of any other bytes.

    A tenth of a parser's time: most answers are of this kind, and the generator shares its machine with the service.
    """
    end = data.find(b"\r\n\r\n")
    head = data[: end + 2].lower()
    length_at = head.find(b"\r\ncontent-length:")
    if end < 0 or length_at < 0 or not head.startswith(b"http/1.1 "):
        return 0
    length = int(head[length_at + 17 : head.find(b"\r\n", length_at + 17)])
    if len(data) != end + 4 + length or b"\r\nconnection: close" in head:
        return 0
    return int(head[9:12])
