"""Which client a request comes from, as far as limits and allow-lists are concerned."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_NAME_LENGTH = 64
IPV6_CLIENT_PREFIX = (
    64  # a subscriber gets at least a /64 (RFC 6177) and may take any address in it
)


def client_address(scope: Scope) -> Address | None:
    """The client's address, or None where there is none (a Unix socket, a proxy that forwards something else).

    An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address.
    """
    return _address(client_host(scope))


def _address(host: str) -> Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def client_name(scope: Scope) -> str:
    """What the rate limits count by: an IPv4 address, an IPv6 /64 network, or what else the proxy forwards."""
    return _name(client_host(scope))


@lru_cache(maxsize=4096)  # reading an address costs 5 us, and a client comes again
def _name(host: str) -> str:
    address = _address(host)
    if address is None:
        return host[:MAX_NAME_LENGTH] or "local"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address.packed, IPV6_CLIENT_PREFIX), strict=False))


def client_host(scope: Scope) -> str:
    """The client's host as the server or the trusted proxy gave it; empty on a Unix socket."""
    client = scope.get("client")
    return client[0] if client else ""
