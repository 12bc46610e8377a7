"""A Redis that is not there."""

from __future__ import annotations

import socket

from redis import Redis

from worker.redis_client import open_redis


def dead_url() -> str:
    """A URL where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{probe.getsockname()[1]}/0"


def dead_redis() -> Redis:
    """A client whose every command fails as it does when the server is gone."""
    return open_redis(dead_url())
