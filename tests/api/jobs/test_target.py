"""Where a callback may go, and where not."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from api.errors import InvalidInputError
from api.jobs.target import Network, TargetError, Targets

pytestmark = pytest.mark.anyio
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"),)
URL = "https://hooks.example.org/scored?token=1"


def targets(
    *hosts: str, networks: Sequence[Network] = (), addresses: Sequence[str] = ("93.184.216.34",)
) -> Targets:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        if not addresses:
            raise OSError
        return addresses

    return Targets(hosts, networks, look_up)


def refusal(url: str, *hosts: str, networks: Sequence[Network] = ()) -> str:
    with pytest.raises(InvalidInputError) as caught:
        targets(*hosts, networks=networks).accept(url)
    return caught.value.detail


def test_without_a_list_the_setting_is_named() -> None:
    assert "CALLBACK_HOSTS" in refusal(URL)


def test_a_host_that_is_listed_is_accepted_with_its_port_only() -> None:
    assert targets("hooks.example.org").accept(URL) == URL
    assert targets("hooks.example.org").accept("https://HOOKS.example.org:443/")
    assert targets("hooks.example.org:8443").accept("https://hooks.example.org:8443/")
    for url in (
        "https://hooks.example.org:8443/",
        "https://example.org/",
        "https://x.hooks.example.org",
    ):
        assert "of CALLBACK_HOSTS" in refusal(url, "hooks.example.org")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "ftp://hooks.example.org/",
        "https:///path",
        "https://user:word@hooks.example.org/",
        "https://hooks.example.org\\@evil.example/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:0/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\r\nX: 1",
        "https://hööks.example.org/",
        "https://[::1",
        "https://hooks.example.org/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    assert "must be a URL such as" in refusal(url, "hooks.example.org")


def test_http_is_for_loopback_that_was_allowed() -> None:
    allowed = targets("127.0.0.1:9000", networks=LOOPBACK)
    assert allowed.accept("http://127.0.0.1:9000/done")
    assert "https://" in refusal("http://127.0.0.1:9000/done", "127.0.0.1:9000")
    assert "https://" in refusal(
        "http://hooks.example.org/", "hooks.example.org", networks=LOOPBACK
    )
    assert "https://" in refusal("http://93.184.216.34/", "93.184.216.34", networks=LOOPBACK)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0", "[::1]", "[fe80::1]", "[::ffff:10.0.0.1]",
     "[64:ff9b::a00:1]", "[2002:a00:1::]", "224.0.0.1", "100.64.0.1",
     "[fec0::1]", "[64:ff9b:1::a00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]"],
)  # fmt: skip
async def test_an_address_that_is_not_public_is_refused_as_such_and_behind_a_name(
    host: str,
) -> None:
    assert "public address" in refusal(f"https://{host}/", host)
    for addresses in ([host.strip("[]")], ["93.184.216.34", host.strip("[]")]):
        with pytest.raises(TargetError, match="neither public nor in CALLBACK_NETWORKS"):
            await targets("hooks.example.org", addresses=addresses).resolve(URL)


async def test_a_name_becomes_an_address_and_keeps_its_name_for_the_certificate() -> None:
    target = await targets("hooks.example.org").resolve(URL)
    assert target.url == "https://93.184.216.34:443/scored?token=1"
    assert (target.host, target.host_header) == ("hooks.example.org", "hooks.example.org")
    odd = targets("hooks.example.org:8443", addresses=["2606:4700::1111"])
    target = await odd.resolve("https://hooks.example.org:8443")
    assert target.url == "https://[2606:4700::1111]:8443/"
    assert target.host_header == "hooks.example.org:8443"


async def test_a_private_address_that_is_listed_may_be_called() -> None:
    inside = targets(
        "hooks.inside", networks=[ipaddress.ip_network("10.0.0.0/8")], addresses=["10.0.0.7"]
    )
    assert (await inside.resolve("https://hooks.inside/")).address == "10.0.0.7"


async def test_a_host_that_was_taken_off_the_list_or_has_no_address_is_told_as_such() -> None:
    with pytest.raises(TargetError, match="CALLBACK_HOSTS"):
        await targets("other.example.org").resolve(URL)
    with pytest.raises(TargetError, match="no address"):
        await targets("hooks.example.org", addresses=[]).resolve(URL)
