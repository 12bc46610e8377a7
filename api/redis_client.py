"""The one place where the front end opens Redis: every timeout, keepalive and retry is named here."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

CONNECT_TIMEOUT_SECONDS = 0.25
COMMAND_TIMEOUT_SECONDS = 0.25  # a caller waits one second in all
HEALTH_CHECK_SECONDS = 15


def open_redis(
    url: str,
    *,
    max_connections: int = 64,
    retries: int = 1,
    connect_seconds: float = CONNECT_TIMEOUT_SECONDS,
    command_seconds: float = COMMAND_TIMEOUT_SECONDS,
) -> Redis:
    """A client that answers or fails within half a second, unless more is given; it connects at the first command.

    One retry, and only after a broken connection (a server that was restarted); never after a timeout.
    """
    # redis-py's Unix socket knows no keepalive, and refuses to be told of one.
    keepalive = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return Redis.from_url(
        url,
        **keepalive,
        max_connections=max_connections,
        socket_connect_timeout=connect_seconds,
        socket_timeout=command_seconds,
        health_check_interval=HEALTH_CHECK_SECONDS,
        retry=Retry(NoBackoff(), retries, supported_errors=(RedisConnectionError,)),
        client_name="biometrics-api",
    )
