"""One connection to Redis that is kept, for the few commands that every message costs.

Twenty histories cost 136 us of processor time through redis-py's pipeline, which takes a connection, packs, sends,
reads and gives back; here 54 us. A message's commands are one send, and their replies are read when they are wanted:
a round trip takes as long as a tenth of a message of 20 patterns, and there is other work to do meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import hiredis
from redis import Redis
from redis.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError

Command = tuple[Any, ...]
"""A command's name and arguments: str, bytes or int each."""


class Asked:
    """Commands that were sent, and what came of them once it is known."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.replies: list[Any] | None = None
        self.error: RedisError | OSError | None = None


class KeptConnection:
    """Connects at the first command, with the timeouts of the client that it is taken from.

    `send` and `replies` are for one thread, beside which nobody calls another method; the others are for any.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._taken: AbstractConnection | None = None
        self._lock = threading.Lock()
        self._owed: Asked | None = None
        self._demoted = False

    def call(self, commands: Sequence[Command]) -> list[Any]:
        """As `ask` and `answers`, one after the other."""
        return self.answers(self.ask(commands))

    def ask(self, commands: Sequence[Command]) -> Asked:
        """Have the server do all of them, and wait for none. Raises nothing: `answers` tells."""
        asked = Asked(commands)
        with self._lock:
            self._collect()
            self._owed = asked
            try:
                self.send(commands)
            except (RedisError, OSError) as error:
                asked.error = error
        return asked

    def answers(self, asked: Asked) -> list[Any]:
        """The reply of each command; an error that the server tells of one is its reply.

        Tries once more after a broken connection (a server that was restarted), never after a timeout. Raises
        RedisError or OSError.
        """
        with self._lock:
            if asked is self._owed:
                self._collect()
        if asked.replies is None:
            assert asked.error is not None, "neither asked nor owed"
            raise asked.error
        return asked.replies

    def _collect(self) -> None:
        """Read what is owed: replies come in the order in which was asked."""
        asked, self._owed = self._owed, None
        if asked is None:
            return
        try:
            if asked.error is None:
                try:
                    asked.replies = self.replies(len(asked.commands))
                except RedisConnectionError as error:
                    asked.error = error
            if isinstance(asked.error, RedisConnectionError):
                self.send(asked.commands)
                asked.replies = self.replies(len(asked.commands))
        except (RedisError, OSError) as error:
            asked.error = error

    def send(self, commands: Sequence[Command]) -> None:
        """Have the server do all of them, and wait for none. Raises RedisError or OSError."""
        packed = b"".join([hiredis.pack_command(command) for command in commands])
        if self._taken is None:
            self._taken = self._redis.connection_pool.get_connection()
        self._taken.send_packed_command([packed])  # type: ignore[no-untyped-call]

    def replies(self, count: int) -> list[Any]:
        """The next `count` replies to what was sent. After an error that is raised none is left to read.

        A server that has become a replica is left: its address may lead to the new master.
        Raises RedisError or OSError.
        """
        connection = self._taken
        if connection is None:
            raise RedisConnectionError("nothing was sent")
        found = [self._reply(connection) for _ in range(count)]
        if self._demoted:
            self._demoted = False
            connection.disconnect()  # type: ignore[no-untyped-call]
        return found

    def _reply(self, connection: AbstractConnection) -> Any:
        try:
            return connection.read_response()
        except RedisError as error:
            if connection.is_connected:
                self._demoted |= isinstance(error, ReadOnlyError)
                return error  # told by the server; the replies to the other commands follow
            raise
