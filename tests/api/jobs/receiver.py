"""A caller's server for callbacks, in a thread of the test, and the verifier that the documentation shows."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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
def receiving(
    receiver: Receiver, port: int = 0, certificate: Path | None = None
) -> Iterator[Receiver]:
    """Listens on loopback until the end of the block, with TLS where there is a certificate (and its key)."""

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
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def certificate_for(name: str, path: Path) -> Path:
    """A file with a key and a certificate that vouches for itself, to be trusted by SSL_CERT_FILE."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(Encoding.PEM))
    return path


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
