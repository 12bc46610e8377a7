"""Servers for the generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.bench.stalling_server import StallingServer

Serve = Callable[..., StallingServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Makes servers that end with the test."""
    servers: list[StallingServer] = []

    def make(*given: Any, **named: Any) -> StallingServer:
        servers.append(StallingServer(*given, **named))
        return servers[-1]

    yield make
    for server in servers:
        server.close()
