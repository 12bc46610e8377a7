"""A caller's server for callbacks, in a thread of the test, and the verifier that the documentation shows."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "reliability.md"


@dataclass
class Receiver:
    """What arrived, and the statuses to answer with: the first for the first request, the last for all others."""

    statuses: list[int] = field(default_factory=lambda: [204])
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    def jobs(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, _, body in self.heard]


@contextmanager
def receiving(receiver: Receiver, port: int = 0) -> Iterator[Receiver]:
    """Listens on loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.heard.append((self.path, headers, body))
            self.send_response(
                receiver.statuses[min(len(receiver.heard), len(receiver.statuses)) - 1]
            )
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def documented_verifier() -> Any:
    """The function `verified(key, headers, body, now)` as docs/reliability.md prints it."""
    (block,) = (
        each
        for each in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        if "def verified" in each
    )
    names: dict[str, Any] = {}
    exec(block, names)
    return names["verified"]
