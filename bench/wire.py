"""All connections of a generator on one epoll, in one thread.

A request costs two system calls and a share of a third. What a generator spends is missing on the machine that it
shares with the service, so there is no event loop and, in the usual way of a request, no parser.
"""

from __future__ import annotations

import gc
import resource
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bench.connection import Connection

READ: Final = select.EPOLLIN | select.EPOLLRDHUP
EVENTS: Final = 64  # in one turn; then what is due is sent again
REACH_SECONDS: Final = 5.0
SPARE_FILES: Final = 128
MOST_SELECTED: Final = 1024  # select() knows no greater file numbers

Done = Callable[[int, int], None]
"""Is given the number of the request, and the status or NO_ANSWER. Its connection is free again."""


class Wire:
    """Opens connections to `port` when they are needed: at most `most`, and no more than the system allows.

    Raises OSError when nobody listens there.
    """

    def __init__(self, port: int, most: int) -> None:
        self._port, self._left = port, min(most, files_left())
        self.reach()
        self._epoll = select.epoll()
        self._all: dict[int, Connection] = {}
        self._free: list[Connection] = []

    def reach(self) -> None:
        """Raises OSError when nobody listens."""
        socket.create_connection(("127.0.0.1", self._port), timeout=REACH_SECONDS).close()

    def idle(self) -> Connection | None:
        """The connection that was used last; None where all are busy."""
        while self._free:
            connection = self._free.pop()
            if connection.is_open:
                return connection
        return None

    def free(self) -> Connection | None:
        """An idle connection, or a new one; None where all are busy and no more may be opened."""
        connection = self.idle()
        if connection is not None:
            return connection
        if self._left <= 0:
            return None
        self._left -= 1
        connection = Connection(self._port)
        self._all[connection.socket.fileno()] = connection
        self._epoll.register(connection.socket, READ)
        return connection

    def ask(self, connection: Connection, request: bytes, number: int) -> None:
        """Send `request`, the `number`-th."""
        if not connection.ask(request, number):
            self._epoll.modify(connection.socket, READ | select.EPOLLOUT)

    def wait(self, seconds: float, done: Done) -> None:
        """Wait so long at most for whatever comes, and tell `done` of each answer."""
        if seconds > 0:
            # epoll rounds up to milliseconds, select() does not.
            if self._epoll.fileno() < MOST_SELECTED:
                select.select((self._epoll,), (), (), seconds)
            else:
                self._epoll.poll(seconds, 1)
        self.read(done)

    def read(self, done: Done) -> bool:
        """Read what has come, without a wait; False where nothing has."""
        found = self._epoll.poll(0, EVENTS)
        for file, events in found:
            connection = self._all[file]
            if events & select.EPOLLOUT and connection.send_on():
                self._epoll.modify(connection.socket, READ)
            if events & ~select.EPOLLOUT:
                status = connection.read()
                if status is not None:
                    self._answered(connection, status, done)
        return bool(found)

    def close(self) -> None:
        """Close everything, without answers to what is under way."""
        for connection in self._all.values():
            connection.close()
        self._epoll.close()

    def _answered(self, connection: Connection, status: int, done: Done) -> None:
        number, connection.number = connection.number, -1
        if connection.is_open and number >= 0:
            self._free.append(connection)
        else:  # also one that spoke without having been asked
            self._drop(connection)
        if number >= 0:
            done(number, status)

    def _drop(self, connection: Connection) -> None:
        del self._all[connection.socket.fileno()]
        connection.close()
        self._left += 1


@contextmanager
def undisturbed() -> Iterator[None]:
    """No garbage collection meanwhile: with a model in memory one takes tens of milliseconds."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def allow_files() -> None:
    """Raise the bound on open files, here and in what is started from here, to the system's."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def files_left() -> int:
    """How many connections may be open beside the files that a bench has open anyway."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES
