from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from api.access.client import client_address, client_name


def scope(host: str | None) -> dict[str, Any]:
    return {"type": "http", "client": None if host is None else (host, 1)}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("x" * 5000, "x" * 64),
        ("", "local"),
        (None, "local"),
    ],
)
def test_a_client_is_an_address_or_an_ipv6_network(host: str | None, name: str) -> None:
    assert client_name(scope(host)) == name


def test_two_networks_of_ipv6_are_two_clients() -> None:
    assert client_name(scope("2001:db8:0:1::1")) != client_name(scope("2001:db8:0:2::1"))


def test_an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() -> None:
    assert client_address(scope("::ffff:10.0.0.1")) == ipaddress.ip_address("10.0.0.1")


@pytest.mark.parametrize("host", [None, "unknown", ""])
def test_what_is_no_address_has_none(host: str | None) -> None:
    assert client_address(scope(host)) is None
