"""Many connections at once."""

from __future__ import annotations

import gc
import resource
import socket
import time

import pytest

from bench.connection import NO_ANSWER
from bench.wire import SPARE_FILES, Wire, allow_files, undisturbed
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, GONE

REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
Told = list[tuple[int, int]]


def ask(wire: Wire, number: int) -> None:
    connection = wire.free()
    assert connection is not None
    wire.ask(connection, REQUEST, number)


def wait(wire: Wire, told: Told, count: int) -> None:
    end = time.monotonic() + 10
    while len(told) < count:
        assert time.monotonic() < end
        wire.wait(0.05, lambda number, status: told.append((number, status)))


def test_a_new_connection_is_opened_only_while_all_are_busy(serve: Serve) -> None:
    wire, told = Wire(serve().port, 2), Told()
    first = wire.free()
    assert first is not None
    wire.ask(first, REQUEST, 7)
    second = wire.free()
    assert second not in {None, first}
    assert wire.free() is None
    wait(wire, told, 1)
    assert told == [(7, 200)]
    assert wire.free() is first
    wire.close()


def test_who_has_answered_is_idle_as_soon_as_that_is_read(serve: Serve) -> None:
    wire, told = Wire(serve().port, 2), Told()
    first = wire.free()
    assert first is not None
    wire.ask(first, REQUEST, 7)
    end = time.monotonic() + 10
    while not wire.read(lambda number, status: told.append((number, status))):
        assert wire.idle() is None
        assert time.monotonic() < end
    assert told == [(7, 200)]
    assert wire.idle() is first
    assert wire.idle() is None
    wire.close()


def test_each_request_is_told_of_once_with_its_number(serve: Serve) -> None:
    wire, told = Wire(serve(lambda n: GONE if n == 3 else ANSWER).port, 10), Told()
    for number in range(10):
        ask(wire, number)
    wait(wire, told, 10)
    assert sorted(number for number, _ in told) == list(range(10))
    assert sorted(status for _, status in told) == [NO_ANSWER] + [200] * 9
    wire.close()


def test_one_that_broke_makes_room_for_another(serve: Serve) -> None:
    wire, told = Wire(serve(lambda n: ANSWER if n else GONE).port, 1), Told()
    for number, status in enumerate([NO_ANSWER, 200, 200]):
        ask(wire, number)
        wait(wire, told, number + 1)
        assert told[-1] == (number, status)
    wire.close()


def test_one_that_is_closed_while_it_is_idle_is_nobodys_answer() -> None:
    listener, told = socket.create_server(("127.0.0.1", 0)), Told()
    with listener:
        wire = Wire(listener.getsockname()[1], 1)
        listener.accept()[0].close()  # the look whether anybody listens
        ask(wire, 0)
        with listener.accept()[0] as server:
            server.recv(100)
            server.sendall(ANSWER)
            wait(wire, told, 1)
        wire.wait(0.5, lambda number, status: told.append((number, status)))
        assert told == [(0, 200)]
        ask(wire, 1)  # on a new one
        with listener.accept()[0] as server:
            assert server.recv(100) == REQUEST
        wire.close()


def test_nothing_comes_within_the_time_that_is_waited(serve: Serve) -> None:
    wire, told = Wire(serve(stall_at=0, stall_seconds=0.5).port, 1), Told()
    ask(wire, 0)
    began = time.monotonic()
    wire.wait(0.05, lambda number, status: told.append((number, status)))
    assert not told
    assert time.monotonic() - began >= 0.05
    wire.close()


def test_a_target_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match=r"refused"):
        Wire(1, 1)


@pytest.mark.parametrize("enabled", [True, False])
def test_a_run_collects_no_garbage_and_leaves_it_as_it_was(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    try:
        with undisturbed():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_as_many_files_may_be_open_as_the_system_allows(serve: Serve) -> None:
    port = serve().port
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (SPARE_FILES + 1, most))
        wire = Wire(port, 10)
        assert wire.free() is not None
        assert wire.free() is None
        wire.close()
        allow_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))
