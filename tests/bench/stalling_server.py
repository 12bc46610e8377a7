"""A server that answers at once, but for one known stall."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSAL = b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"
GONE = b""  # closes the connection without a word


class StallingServer:
    """Gives `answer(n)` to the n-th request; before `stall_at` it sleeps while it holds everybody up."""

    def __init__(
        self,
        answer: Callable[[int], bytes] = lambda n: ANSWER,
        stall_at: int = -1,
        stall_seconds: float = 0.0,
    ) -> None:
        self._answer, self._stall_at, self._stall_seconds = answer, stall_at, stall_seconds
        self._turn = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = int(self._socket.getsockname()[1])
        self.bodies: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while self._answer_one(connection, stream.readline, stream.read):
                    pass
            except OSError:
                return

    def _answer_one(
        self,
        connection: socket.socket,
        readline: Callable[[], bytes],
        read: Callable[[int], bytes],
    ) -> bool:
        length = 0
        while (line := readline()) not in {b"\r\n", b""}:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            return False
        body = read(length)
        with self._turn:
            n = len(self.bodies)
            self.bodies.append(body)
            if n == self._stall_at:
                time.sleep(self._stall_seconds)
            answer = self._answer(n)
        connection.sendall(answer)
        return answer != GONE
