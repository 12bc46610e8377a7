"""One connection to Redis without redis-py's layers: commands leave at once, and each reply is handed to a callback.

redis-py opens it (address, TLS, authentication, database, name), so that a URL means here what it means everywhere.
Then its streams are taken out of the way: through them a command costs 0.2 ms of processor time here, and a published
answer 0.3 ms; without them both cost some 20 us.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, cast

import hiredis
from redis.asyncio import Redis
from redis.exceptions import RedisError

_NO_REPLY: Final = object()


class Link(asyncio.Protocol):
    """An open connection; `lost` is done when it is no more. `hear` is called with each reply, errors as exceptions."""

    def __init__(self, hear: Callable[[Any], None]) -> None:
        self._hear = hear
        self._parser = hiredis.Reader(notEnoughData=_NO_REPLY)
        self._transport: asyncio.Transport | None = None
        self._writer: asyncio.StreamWriter | None = None  # kept, for it closes when it is collected
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard_at = time.monotonic()

    async def open(self, redis: Redis) -> None:
        """Connect to where `redis` points. Raises RedisError, OSError."""
        connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()
        opened = cast(Any, connection)
        self._writer, self._transport = opened._writer, opened._writer.transport
        self._writer.transport.set_protocol(self)
        # Else uvloop writes in no order what one turn of its loop left to write: a message after sixty answers.
        self._writer.transport.set_write_buffer_limits(0)
        opened._writer = opened._reader = None  # it would close them when it is collected
        self.heard_at = time.monotonic()

    def send(self, *command: bytes | str) -> None:
        """Write one command; replies come in the order of the commands. On a connection that is going, nothing."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(hiredis.pack_command(cast(Any, command)))

    def close(self) -> None:
        """Hang up, whatever is on its way."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = time.monotonic()
        self._parser.feed(data)
        try:
            while (reply := self._parser.gets()) is not _NO_REPLY:
                self._hear(reply)
        except (hiredis.ProtocolError, RedisError):
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
