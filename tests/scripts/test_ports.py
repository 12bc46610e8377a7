"""Ports and addresses, tried on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from scripts.part import CannotRunError
from scripts.ports import bracketed, free_port, neighbour, reached_at, refuse_unusable
from tests.e2e import service


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of the loopback address on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_free_port_is_not_refused(host: str) -> None:
    refuse_unusable("PORT", host, service.free_port())


def test_a_taken_port_is_refused_with_another_one(taken: int) -> None:
    with pytest.raises(CannotRunError) as caught:
        refuse_unusable("FLOWER_PORT", "127.0.0.1", taken)
    assert str(caught.value) == (
        f"127.0.0.1:{taken} is in use already; help: FLOWER_PORT={neighbour(taken)} make run"
    )


@pytest.mark.parametrize("host", ["nonsense.invalid", "192.0.2.1", "2001:db8::1", "a" * 70, "a b"])
def test_an_address_of_elsewhere_is_refused_with_one_that_is_here(host: str) -> None:
    with pytest.raises(CannotRunError) as caught:
        refuse_unusable("PORT", host, service.free_port())
    assert str(caught.value) == (
        f"HOST must be an address of this machine (got {host!r}); help: HOST=127.0.0.1 make run"
    )


def test_the_wanted_port_is_taken_if_it_is_free_and_any_other_if_not(taken: int) -> None:
    wanted = service.free_port()
    assert free_port(wanted) == wanted
    assert free_port(taken) not in {0, taken}
    assert free_port(0) > 0


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_url_names_a_host_that_can_be_reached(host: str, name: str) -> None:
    assert reached_at(host) == name


def test_only_an_address_with_colons_needs_brackets() -> None:
    assert (bracketed("::1"), bracketed("127.0.0.1")) == ("[::1]", "127.0.0.1")


def test_the_last_port_has_a_neighbour() -> None:
    assert (neighbour(8000), neighbour(65535)) == (8001, 65534)
