"""Where a job's end may be reported: a URL whose host the operator listed, at an address that may be called.

The host's name is looked up once for each try, every address of it is judged, and the connection goes to one that was
judged: a name that answers otherwise the second time leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from api.errors import InvalidInputError

MAX_URL_LENGTH: Final = 2048
PORTS: Final = {"https": 443, "http": 80}
_PLAIN: Final = re.compile(r"[!-~]+")  # no space, no control character, nothing beyond ASCII
# Python 3.11 calls addresses of these global. All but the last stand for one of IPv4's, a private one perhaps:
# RFC 6052, RFC 8215, RFC 3056, RFC 4291 (2.5.5.1), RFC 2765. The last are private themselves (RFC 3879).
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "::/96",
        "::ffff:0:0:0/96",
        "fec0::/10",
    )
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]


class TargetError(Exception):
    """Raised when a callback may not be sent, or not now; the message is shown to the job's owner."""


@dataclass(frozen=True)
class Target:
    """One address to connect to. `host` is the name that the certificate must have and the request names."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def url(self) -> str:
        """The URL with the address in place of the name."""
        return f"{self.scheme}://{_bracketed(self.address)}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        """What the request says whom it asks."""
        name = _bracketed(self.host)
        return name if PORTS[self.scheme] == self.port else f"{name}:{self.port}"


class Targets:
    """`hosts` are names or `name:port`; addresses that are not public must lie in `networks`.

    `look_up` tells the addresses of a name and a port, and raises OSError.
    """

    def __init__(self, hosts: Sequence[str], networks: Sequence[Network], look_up: LookUp) -> None:
        self._hosts = frozenset(hosts)
        self._networks = networks
        self._look_up = look_up

    def accept(self, url: str) -> str:
        """The URL, if a callback may go there as far as can be told without looking it up.

        Raises InvalidInputError.
        """
        if not self._hosts:
            raise InvalidInputError(
                "callback_url is not accepted here: the operator lists the hosts that may be called in CALLBACK_HOSTS"
            )
        split = _parsed(url)
        host, port = split.hostname or "", split.port or PORTS[split.scheme]
        named = _bracketed(host)
        if f"{named}:{port}" not in self._hosts and not (
            named in self._hosts and port == PORTS[split.scheme]
        ):
            raise InvalidInputError(
                "callback_url must name a host, and a port if it is not the usual one, of CALLBACK_HOSTS"
            )
        address = _address(host)
        if split.scheme == "http" and not (address and self._may_be_plain(address)):
            raise InvalidInputError(
                "callback_url must begin with https://; http:// is for loopback addresses in CALLBACK_NETWORKS"
            )
        if address and not self._may_call(address):
            raise InvalidInputError(
                "callback_url must name a public address, or one in CALLBACK_NETWORKS"
            )
        return url

    async def resolve(self, url: str) -> Target:
        """The address to connect to. Raises TargetError."""
        try:
            split = _parsed(self.accept(url))  # the list may have changed since the job was sent
        except InvalidInputError as error:
            raise TargetError(error.detail) from None
        host, port = split.hostname or "", split.port or PORTS[split.scheme]
        try:
            found = [_address(each) for each in await self._look_up(host, port)]
        except OSError:
            raise TargetError("the host's name has no address") from None
        allowed = self._may_be_plain if split.scheme == "http" else self._may_call
        if not found or not all(each and allowed(each) for each in found):
            raise TargetError(
                "the host has an address that is neither public nor in CALLBACK_NETWORKS"
            )
        path = (split.path or "/") + (f"?{split.query}" if split.query else "")
        return Target(split.scheme, host, port, str(found[0]), path)

    def _may_call(self, address: Address) -> bool:
        public = address.is_global and not address.is_multicast
        public = public and not any(address in network for network in _NOT_PUBLIC)
        return public or any(address in network for network in self._networks)

    def _may_be_plain(self, address: Address) -> bool:
        return address.is_loopback and self._may_call(address)


def _parsed(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
        sound = split.scheme in PORTS and split.hostname and split.port != 0
    except ValueError:  # a port or an address that is none
        sound = False
    if (
        not sound
        or len(url) > MAX_URL_LENGTH
        or not _PLAIN.fullmatch(url)
        or "\\" in url
        or "@" in split.netloc
        or "#" in url
    ):
        raise InvalidInputError(
            "callback_url must be a URL such as https://hooks.example.org/scored of at most "
            f"{MAX_URL_LENGTH} ASCII characters, without user, password and fragment"
        )
    return split


def _address(text: str) -> Address | None:
    """The address that the text is, an IPv4 address in IPv6's clothes as what it stands for; None for a name."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
