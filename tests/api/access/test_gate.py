from __future__ import annotations

from typing import Any

import pytest

from api.access.gate import checks_for
from api.access.https import HttpsOnly
from api.access.keys import ApiKeys
from api.access.networks import OperationsNetworks
from api.access.rates import RateLimits
from api.metrics import ApiMetrics
from tests.api.front import front, refused, request_body, settings


class NoCounts:
    """Counts that nobody may ask for."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise AssertionError(f"counted {key}")


def kinds(**changes: Any) -> list[type]:
    checks = checks_for(settings(**changes), ApiMetrics(), NoCounts(), lambda: 0.0)
    return [type(check) for check in checks]


def test_nothing_is_checked_unless_it_is_switched_on() -> None:
    assert kinds() == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"https_only": True}, HttpsOnly),
        ({"operations_networks": "10.0.0.0/8"}, OperationsNetworks),
        ({"api_key_hashes": "a" * 64}, ApiKeys),
        ({"rate_limits": "1/second"}, RateLimits),
    ],
)
def test_each_check_is_one_setting_away(changes: dict[str, Any], kind: type) -> None:
    assert kinds(**changes) == [kind]


def test_who_is_refused_anyway_is_not_counted() -> None:
    everything = {
        "rate_limits": "1/second",
        "api_key_hashes": "a" * 64,
        "operations_networks": "10.0.0.0/8",
        "https_only": True,
    }
    assert kinds(**everything) == [HttpsOnly, OperationsNetworks, ApiKeys, RateLimits]


STRICT: dict[str, Any] = {"https_only": True, "api_key_hashes": "a" * 64}
INSIDE: dict[str, Any] = {**STRICT, "operations_networks": "10.0.0.0/8"}


@pytest.mark.anyio
async def test_prometheus_inside_the_network_needs_neither_https_nor_a_key() -> None:
    async with front(client="10.1.2.3", **INSIDE) as client:
        assert (await client.get("/metrics")).status_code == 200
        refused(await client.get("/stats"), 403, "HTTPS_REQUIRED")
        refused(await client.get("https://service/stats"), 401, "UNAUTHORIZED")
        refused(await client.get("/metrics/"), 403, "HTTPS_REQUIRED")


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_outside_the_network_metrics_stay_closed(scheme: str) -> None:
    async with front(client="192.0.2.1", **INSIDE) as client:
        refused(await client.get(f"{scheme}://service/metrics"), 403, "FORBIDDEN")


@pytest.mark.anyio
async def test_without_a_list_of_networks_metrics_need_https_and_a_key() -> None:
    async with front(client="10.1.2.3", **STRICT) as client:
        refused(await client.get("/metrics"), 403, "HTTPS_REQUIRED")
        refused(await client.get("https://service/metrics"), 401, "UNAUTHORIZED")


@pytest.mark.anyio
async def test_a_browsers_preflight_needs_no_key_and_an_error_is_readable_to_it() -> None:
    origin = "https://app.example.org"
    async with front(api_key_hashes="a" * 64, cors_origins=origin) as client:
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        response = await client.options("/predict", headers=preflight)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == origin
        response = await client.post("/predict", json=request_body(), headers={"Origin": origin})
        refused(response, 401, "UNAUTHORIZED")
        assert response.headers["access-control-allow-origin"] == origin
        assert "RateLimit-Remaining" in response.headers["access-control-expose-headers"]


@pytest.mark.anyio
async def test_a_browser_from_elsewhere_gets_no_cors_headers() -> None:
    async with front(cors_origins="https://app.example.org") as client:
        response = await client.get("/", headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in response.headers
