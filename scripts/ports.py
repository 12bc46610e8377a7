"""Addresses and ports of this machine, tried before anything is started on them."""

from __future__ import annotations

import errno
import socket

from scripts.part import CannotRunError

LOOPBACK = "127.0.0.1"


def refuse_unusable(name: str, host: str, port: int) -> None:
    """Raises CannotRunError with a remedy where nothing can listen on the port that setting `name` gives."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError as error:
        raise CannotRunError(
            f"{name}={port} is for administrators; help: {name}={port + 8000} make run"
        ) from error
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise CannotRunError(
                f"{bracketed(host)}:{port} is in use already; help: {name}={neighbour(port)} make run"
            ) from error
        raise CannotRunError(
            f"HOST must be an address of this machine (got {host!r}); help: HOST={LOOPBACK} make run"
        ) from error


def free_port(wanted: int) -> int:
    """`wanted` if it is free, else any other port of the loopback address. Raises CannotRunError."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotRunError("no free port for the embedded Redis")


def neighbour(port: int) -> int:
    """Another port, one beside `port`."""
    return port + 1 if port < 65535 else port - 1


def reached_at(host: str) -> str:
    """How a URL on this machine names a server that listens on `host`."""
    return bracketed({"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host))  # noqa: S104


def bracketed(host: str) -> str:
    """`host` as it stands in front of a port."""
    return f"[{host}]" if ":" in host else host
