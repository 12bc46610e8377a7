from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from limits import parse_many
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from api.access.rates import PAUSE_AFTER_FAILURE_SECONDS, RateLimits
from api.errors import RateLimitedError
from api.exchange import answer_headers
from api.metrics import ApiMetrics
from tests.api.front import NOW, app_for, client_of, front, refused, request_body

pytestmark = pytest.mark.anyio
LIMITS = "3/second;5/minute"


class Clock:
    """A wall clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Counts:
    """Counts in memory; `failing` makes it a store that is down."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}
        self.asked = 0
        self.failing = False

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.failing:
            raise RedisConnectionError
        self.kept[key] = self.kept.get(key, 0) + amount
        return self.kept[key]


def scope(**changes: Any) -> dict[str, Any]:
    request = {"type": "http", "method": "POST", "path": "/predict", "client": ("192.0.2.1", 1)}
    return {**request, **changes}


def limits_over(counts: Counts, clock: Clock, metrics: ApiMetrics | None = None) -> RateLimits:
    return RateLimits(tuple(parse_many(LIMITS)), counts, metrics or ApiMetrics(), clock)


@pytest.fixture
def clean(redis_url: str) -> str:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return redis_url


@asynccontextmanager
async def two_front_ends(url: str, clock: Clock) -> AsyncIterator[list[httpx.AsyncClient]]:
    options: dict[str, Any] = {"redis_url": url, "rate_limits": LIMITS, "clock": clock}
    async with front(**options) as first, front(**options) as second:
        yield [first, second]


async def post(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/predict", json=request_body())


async def test_a_limit_holds_over_several_front_ends(clean: str) -> None:
    async with two_front_ends(clean, Clock()) as fronts:
        answers = [await post(fronts[number % 2]) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]


async def test_requests_at_the_same_moment_do_not_slip_through_together(clean: str) -> None:
    async with two_front_ends(clean, Clock()) as fronts:
        answers = await asyncio.gather(*(post(fronts[number % 2]) for number in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 9


async def test_a_refusal_says_when_to_come_back_and_then_the_client_is_served(clean: str) -> None:
    clock = Clock()
    async with two_front_ends(clean, clock) as (client, _):
        for _ in range(3):
            await post(client)
        response = await post(client)
        detail = refused(response, 429, "RATE_LIMITED")
        assert detail == "more than 3 requests in 1 seconds; wait for 1 s"
        assert response.headers["retry-after"] == "1"
        clock.now += 1
        assert (await post(client)).status_code == 200


async def test_the_strictest_window_speaks(clean: str) -> None:
    clock = Clock()
    clock.now = NOW - NOW % 60 + 10  # ten seconds into a minute
    async with two_front_ends(clean, clock) as (client, _):
        answer = await post(client)
        assert answer.headers["ratelimit-limit"] == "3"
        assert answer.headers["ratelimit-policy"] == "3;w=1, 5;w=60"
        for _ in range(3):
            clock.now += 1
            answer = await post(client)
        assert answer.headers["ratelimit-limit"] == "5"
        assert answer.headers["ratelimit-remaining"] == "1"
        assert answer.headers["ratelimit-reset"] == "47"


async def test_a_bad_request_and_a_batch_count_once_and_carry_the_headers(clean: str) -> None:
    async with front(redis_url=clean, rate_limits=LIMITS, clock=Clock()) as client:
        bad = await client.post("/predict", content=b"{")
        assert (bad.status_code, bad.headers["ratelimit-remaining"]) == (400, "2")
        batch = await client.post("/batch-predict", json=[request_body()] * 50)
        assert (batch.status_code, batch.headers["ratelimit-remaining"]) == (200, "1")


async def test_other_routes_are_not_limited(clean: str) -> None:
    async with front(redis_url=clean, rate_limits="1/minute", clock=Clock()) as client:
        answers = [await client.get("/health") for _ in range(5)]
        answers += [await client.options("/predict") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200, 204}
    assert not any("ratelimit-limit" in answer.headers for answer in answers)


async def test_sending_a_job_counts_and_looking_at_ones_jobs_does_not(clean: str) -> None:
    async with front(redis_url=clean, rate_limits="1/minute", clock=Clock()) as client:
        assert (await client.get("/jobs")).status_code == 200
        first = await client.post("/jobs", content=b"no job")
        assert (first.status_code, first.headers["ratelimit-remaining"]) == (400, "0")
        refused(await client.post("/jobs", content=b"no job"), 429, "RATE_LIMITED")


async def test_a_high_limit_is_counted_ahead_and_never_exceeded(clean: str) -> None:
    options: dict[str, Any] = {"rate_limits": "2500/minute", "clock": Clock()}
    options["redis_url"] = clean
    async with front(**options) as first, front(**options) as second:
        for _ in range(3):
            assert (await post(first)).status_code == 200
        assert (await post(second)).headers["ratelimit-remaining"] == "2495"
        with Redis.from_url(clean) as redis:
            (key,) = redis.keys("biometrics:limits*")
            assert redis.get(key) == b"6"  # three leases of two
            redis.set(key, 2499, keepttl=True)
        statuses = [(await post(front_end)).status_code for front_end in (first, second) * 3]
    # One number leased before to each, and the last of the shared ones.
    assert statuses.count(200) == 3


async def test_clients_do_not_share_a_limit_but_an_ipv6_network_does(clean: str) -> None:
    app = app_for(redis_url=clean, rate_limits="1/minute", clock=Clock())
    async with app.router.lifespan_context(app):
        addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
        statuses = [(await post(client_of(app, address))).status_code for address in addresses]
    assert statuses == [200, 200, 200, 429, 200]


async def test_counts_expire_with_their_window(clean: str) -> None:
    async with front(redis_url=clean, rate_limits=LIMITS, clock=Clock()) as client:
        await post(client)
    with Redis.from_url(clean) as redis:
        keys = [key.decode() for key in redis.keys("biometrics:limits*")]
        assert len(keys) == 2
        assert all(0 < int(redis.ttl(key)) <= 60 for key in keys)


async def test_a_client_behind_a_trusted_proxy_is_limited_by_its_own_address(clean: str) -> None:
    proxy = "10.0.0.1"
    options: dict[str, Any] = {"trusted_proxies": proxy, "client": proxy, "clock": Clock()}
    async with front(redis_url=clean, rate_limits="1/minute", **options) as client:
        statuses = []
        for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
            headers = {"X-Forwarded-For": address}
            answer = await client.post("/predict", json=request_body(), headers=headers)
            statuses.append(answer.status_code)
    assert statuses == [200, 200, 429]


async def test_a_stranger_cannot_escape_by_a_made_up_address(clean: str) -> None:
    async with front(redis_url=clean, rate_limits="1/minute", clock=Clock()) as client:
        statuses = []
        for address in ("192.0.2.1", "192.0.2.2"):
            headers = {"X-Forwarded-For": address}
            answer = await client.post("/predict", json=request_body(), headers=headers)
            statuses.append(answer.status_code)
    assert statuses == [200, 429]


async def test_without_redis_requests_pass_and_that_is_counted() -> None:
    async with front(rate_limits=LIMITS) as client:
        answers = [await post(client) for _ in range(10)]
        metrics = (await client.get("/metrics")).text
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers
    assert "biometrics_rate_limit_failures_total 1.0" in metrics


async def test_a_store_that_is_down_is_asked_once_a_second() -> None:
    counts, clock = Counts(), Clock()
    limits = limits_over(counts, clock)
    counts.failing = True
    for _ in range(5):
        await limits(scope())
    assert counts.asked == 2  # once for each limit
    counts.failing = False
    clock.now += PAUSE_AFTER_FAILURE_SECONDS
    await limits(scope())
    assert counts.asked == 4


async def test_who_waited_while_the_store_failed_does_not_ask_it_again() -> None:
    counts, clock, metrics = Counts(), Clock(), ApiMetrics()
    limits = limits_over(counts, clock, metrics)
    counts.failing = True
    await asyncio.gather(*(limits(scope()) for _ in range(200)))
    assert counts.asked <= 2 * 64
    failures = metrics.registry.get_sample_value("biometrics_rate_limit_failures_total")
    assert failures is not None
    assert failures <= 64


async def test_a_refusal_names_the_longest_wait() -> None:
    counts, clock, metrics = Counts(), Clock(), ApiMetrics()
    clock.now = NOW - NOW % 60
    limits = limits_over(counts, clock, metrics)
    for _ in range(3):
        await limits(scope())
    clock.now += 1
    for _ in range(2):
        await limits(scope())
    with pytest.raises(RateLimitedError) as caught:
        await limits(scope())
    assert caught.value.headers["Retry-After"] == "59"
    assert metrics.registry.get_sample_value("biometrics_rate_limited_total") == 1


async def test_a_client_that_goes_on_never_owes_requests() -> None:
    limits = RateLimits(tuple(parse_many("3/second")), Counts(), ApiMetrics(), Clock())
    for asked in range(6):
        each = scope()
        with contextlib.suppress(RateLimitedError):
            await limits(each)
        assert (b"ratelimit-remaining", b"%d" % max(0, 2 - asked)) in answer_headers(each)


async def test_who_cannot_wait_is_counted_only_where_a_lease_is_at_hand() -> None:
    counts = Counts()
    limits = RateLimits(tuple(parse_many("2000/second;100/minute")), counts, ApiMetrics(), Clock())
    assert not limits.at_once(scope())
    assert counts.asked == 0
    await limits(scope())
    assert not limits.at_once(scope()), "the second limit is counted one by one"
    limits = RateLimits(tuple(parse_many("3000/second")), counts, ApiMetrics(), Clock())
    await limits(scope())
    assert [limits.at_once(scope()) for _ in range(3)] == [True, True, False]


async def test_of_a_crowd_that_waits_for_the_store_no_leased_number_is_thrown_away() -> None:
    counts, clock, metrics = Counts(), Clock(), ApiMetrics()
    limits = RateLimits(tuple(parse_many("100000/minute")), counts, metrics, clock)
    for _ in range(20):
        await asyncio.gather(*(limits(scope()) for _ in range(1000)))
    (counted,) = counts.kept.values()
    assert counted < 20_000 + 2 * 100  # what is leased and not given out yet
