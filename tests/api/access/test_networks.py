from __future__ import annotations

from typing import Any

import pytest

from tests.api.front import front, refused, request_body

pytestmark = pytest.mark.anyio
NETWORKS = "10.0.0.0/8,2001:db8::/32"


@pytest.mark.parametrize("client", ["10.1.2.3", "2001:db8::7", "::ffff:10.1.2.3"])
@pytest.mark.parametrize("path", ["/metrics", "/stats"])
async def test_the_operators_networks_see_the_operations_pages(client: str, path: str) -> None:
    async with front(operations_networks=NETWORKS, client=client) as asking:
        assert (await asking.get(path)).status_code == 200


@pytest.mark.parametrize("client", ["192.0.2.1", "11.0.0.1", "2001:db9::7", "unknown", ""])
@pytest.mark.parametrize("path", ["/metrics", "/stats"])
async def test_others_do_not(client: str, path: str) -> None:
    async with front(operations_networks=NETWORKS, client=client) as asking:
        refused(await asking.get(path), 403, "FORBIDDEN")


async def test_everything_else_is_open_to_all() -> None:
    async with front(operations_networks=NETWORKS) as asking:
        assert (await asking.get("/health")).status_code == 200
        assert (await asking.post("/predict", json=request_body())).status_code == 200


async def test_behind_a_trusted_proxy_the_client_counts_and_not_the_proxy() -> None:
    proxy = "10.0.0.1"
    options: dict[str, Any] = {"trusted_proxies": proxy, "client": proxy}
    async with front(operations_networks=NETWORKS, **options) as asking:
        outside = {"X-Forwarded-For": "192.0.2.1"}
        refused(await asking.get("/stats", headers=outside), 403, "FORBIDDEN")
        inside = {"X-Forwarded-For": "10.9.9.9"}
        assert (await asking.get("/stats", headers=inside)).status_code == 200
        pretended = {"X-Forwarded-For": "10.9.9.9, 192.0.2.1"}
        refused(await asking.get("/stats", headers=pretended), 403, "FORBIDDEN")


async def test_a_stranger_cannot_borrow_an_address() -> None:
    async with front(operations_networks=NETWORKS) as asking:
        borrowed = {"X-Forwarded-For": "10.9.9.9"}
        refused(await asking.get("/stats", headers=borrowed), 403, "FORBIDDEN")


async def test_it_is_off_by_default() -> None:
    async with front() as asking:
        assert (await asking.get("/metrics")).status_code == 200
