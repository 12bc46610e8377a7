"""The one place where the workers open Redis: every timeout, keepalive and retry is named here."""

from __future__ import annotations

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

CONNECT_TIMEOUT_SECONDS = 0.25
COMMAND_TIMEOUT_SECONDS = 0.25  # the answer that waits for it has a second in all


def open_redis(url: str, *, command_seconds: float = COMMAND_TIMEOUT_SECONDS) -> Redis:
    """A client whose commands answer or fail within `command_seconds`; it connects at the first command.

    One retry, and only after a broken connection (a server that was restarted); never after a timeout.
    """
    # redis-py's Unix socket knows no keepalive, and refuses to be told of one.
    keepalive = {} if url.startswith("unix:") else {"socket_keepalive": True}
    return Redis.from_url(
        url,
        **keepalive,
        socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
        socket_timeout=command_seconds,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        client_name="biometrics-worker",
    )
