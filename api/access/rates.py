"""Rate limits per client, counted in Redis so that they hold over several front ends.

Fixed windows: the window's number is part of the key, so that the end of the window is known without asking. Every
request that comes this far counts, a refused one too, and a batch counts as one; what `api.turnstile` refuses in a
crowd does not come this far. A limit of 2,000 and more is counted in leases
(`api.access.tally`): most requests then cost no round trip. When Redis does not answer, requests pass: a limit that
fails must not take the service down with it. That is counted (`biometrics_rate_limit_failures_total`) and logged.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from limits import RateLimitItem
from redis.exceptions import RedisError
from starlette.types import Scope

from api.access.client import client_name
from api.access.tally import Tally
from api.errors import RateLimitedError
from api.exchange import add_answer_lines
from api.metrics import ApiMetrics

LIMITED = frozenset({"/predict", "/batch-predict", "/chain/score", "/chain/score/", "/jobs"})
PAUSE_AFTER_FAILURE_SECONDS = (
    1.0  # a store that does not answer costs its timeout once a second, not once a request
)
MAX_CHECKS_AT_ONCE = 64  # so many let pass for one failure of the store
MAX_TALLIES = (
    10_000  # clients times limits whose leases are remembered; of more the oldest are lost
)

_log = structlog.get_logger("api.access.rates")


class Counts(Protocol):
    """Where requests are counted; `api.access.counts.RedisCounts` fulfils it."""

    def incr(self, key: str, expiry: int, amount: int = 1) -> Awaitable[int]:
        """Adds to a key that lives for `expiry` seconds and returns the sum."""


class RateLimits:
    """Counts each request to a limited route under its client, and refuses what is too much."""

    def __init__(
        self,
        limits: tuple[RateLimitItem, ...],
        counts: Counts,
        metrics: ApiMetrics,
        clock: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._counts = counts
        self._metrics = metrics
        self._clock = clock
        policy = ", ".join(f"{limit.amount};w={limit.get_expiry()}" for limit in limits)
        self._policy = policy.encode()
        self._amounts = [limit.amount for limit in limits]
        self._lengths = [limit.get_expiry() for limit in limits]  # of their windows, in seconds
        self._tallies: dict[tuple[int, str], Tally] = {}
        self._slots = asyncio.Semaphore(MAX_CHECKS_AT_ONCE)
        self._paused_until = -math.inf

    async def __call__(self, scope: Scope) -> None:
        """Raises RateLimitedError. Every answer to a request that is counted gets the RateLimit headers."""
        if self.at_once(scope):
            return
        now = self._clock()
        try:
            numbers = await self._numbers(self._tallies_of(client_name(scope), now))
        except (RedisError, OSError, TimeoutError) as error:
            self._let_pass(error, now)
            return
        self._judge(scope, numbers, now)

    def at_once(self, scope: Scope) -> bool:
        """The same for who cannot wait; False, and nothing is counted, where the shared counter must be asked."""
        now = self._clock()
        if scope["path"] not in LIMITED or scope["method"] != "POST" or now < self._paused_until:
            return True
        tallies = self._tallies_of(client_name(scope), now)
        for tally in tallies:
            if not tally.ready:
                return False
        self._judge(scope, [tally.take() for tally in tallies], now)
        return True

    def _judge(self, scope: Scope, numbers: list[int], now: float) -> None:
        if not numbers:
            return
        least, strictest = self._amounts[0], 0
        for place, number in enumerate(numbers):
            left = max(0, self._amounts[place] - number)
            if left < least:
                least, strictest = left, place
        add_answer_lines(scope, self._lines(strictest, least, now))
        if least > 0:
            return
        resets = {
            self._reset_seconds(place, now): self._limits[place]
            for place, number in enumerate(numbers)
            if number > self._amounts[place]
        }
        if resets:
            self._metrics.rate_limited.inc()
            raise _refusal(resets[max(resets)], max(resets))

    def _tallies_of(self, client: str, now: float) -> list[Tally]:
        found = []
        for i, limit in enumerate(self._limits):
            window = int(now // self._lengths[i])
            tally = self._tallies.get((i, client))
            if tally is None or tally.window != window:
                tally = self._remember((i, client), self._open(limit, client, window))
            found.append(tally)
        return found

    def _open(self, limit: RateLimitItem, client: str, window: int) -> Tally:
        key, expiry = limit.key_for(client, window), limit.get_expiry()
        return Tally(window, limit.amount, lambda more: self._counts.incr(key, expiry, more))

    def _remember(self, place: tuple[int, str], tally: Tally) -> Tally:
        self._tallies.pop(place, None)  # so that the newest stand at the end
        while len(self._tallies) >= MAX_TALLIES:
            del self._tallies[next(iter(self._tallies))]
        self._tallies[place] = tally
        return tally

    async def _numbers(self, tallies: list[Tally]) -> list[int]:
        """This request's number in each window, or nothing if the store failed while this request waited."""
        async with self._slots:
            if self._clock() < self._paused_until:
                return []
            # One of them may have a lease, and others may have fetched one while this one waited for its slot.
            return await asyncio.gather(*[tally.wait() for tally in tallies])

    def _reset_seconds(self, place: int, now: float) -> int:
        length_seconds = self._lengths[place]
        return math.ceil((now // length_seconds + 1) * length_seconds - now)

    def _lines(self, place: int, remaining: int, now: float) -> bytes:
        reset_seconds = self._reset_seconds(place, now)
        return (
            b"ratelimit-limit: %d\r\nratelimit-remaining: %d\r\nratelimit-reset: %d\r\n"
            b"ratelimit-policy: %b\r\n"
        ) % (self._amounts[place], remaining, reset_seconds, self._policy)

    def _let_pass(self, error: Exception, now: float) -> None:
        self._metrics.rate_limit_failures.inc()
        self._paused_until = now + PAUSE_AFTER_FAILURE_SECONDS
        _log.warning("rate limits are off while their store fails", error=type(error).__name__)


def _refusal(limit: RateLimitItem, reset_seconds: int) -> RateLimitedError:
    return RateLimitedError(
        f"more than {limit.amount} requests in {limit.get_expiry()} seconds;"
        f" wait for {reset_seconds} s",
        retry_after_seconds=reset_seconds,
    )
