"""A front end behind a real socket, over the stub, in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from api.protocol import Protocol

READY_SECONDS = 10.0


@contextlib.contextmanager
def served(app: FastAPI, protocol: type[Protocol] = Protocol) -> Iterator[int]:
    """Serves the application on a free loopback port, which is returned, until the block ends."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        loop="uvloop",
        http=protocol,
        ws="none",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(READY_SECONDS)


def exchange(port: int, *pieces: bytes) -> bytes:
    """Sends the pieces over a raw socket and returns what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=READY_SECONDS) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
    return answer
