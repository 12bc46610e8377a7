from __future__ import annotations

import pytest

from tests.api.front import front, refused, request_body

pytestmark = pytest.mark.anyio
PROXY = "192.0.2.1"


async def test_in_the_clear_everything_but_the_health_check_is_refused() -> None:
    async with front(https_only=True) as client:
        for path in ("/", "/stats", "/metrics", "/docs", "/unknown"):
            detail = refused(await client.get(path), 403, "HTTPS_REQUIRED")
            assert "https" in detail
        refused(await client.post("/predict", json=request_body()), 403, "HTTPS_REQUIRED")
        assert (await client.get("/health")).status_code == 200


async def test_https_itself_passes() -> None:
    async with front(https_only=True) as client:
        assert (await client.get("https://service/")).status_code == 200


async def test_a_trusted_proxy_may_say_that_it_was_https() -> None:
    async with front(https_only=True, trusted_proxies=PROXY, client=PROXY) as client:
        headers = {"X-Forwarded-Proto": "https"}
        assert (await client.get("/", headers=headers)).status_code == 200
        headers = {"X-Forwarded-Proto": "http"}
        refused(await client.get("/", headers=headers), 403, "HTTPS_REQUIRED")


@pytest.mark.parametrize("trusted", ["", "198.51.100.0/24"])
async def test_a_stranger_may_not_say_so(trusted: str) -> None:
    async with front(https_only=True, trusted_proxies=trusted, client=PROXY) as client:
        headers = {"X-Forwarded-Proto": "https"}
        refused(await client.get("/", headers=headers), 403, "HTTPS_REQUIRED")


async def test_it_is_off_by_default() -> None:
    async with front() as client:
        assert (await client.get("/")).status_code == 200
