from __future__ import annotations

from redis import Redis

from worker.history import Entry, History
from worker.records import Pattern
from worker.redis_client import open_redis


def test_histories_are_kept_over_a_unix_socket(redis_unix_url: str, redis_url: str) -> None:
    with Redis.from_url(redis_url) as other:
        other.flushdb()
        pattern = Pattern(1_700_000_000, (65.0, 120.0, 85.0, 3.0))
        assert History(open_redis(redis_unix_url), 50, 180).append([Entry("aa", pattern)]) == 1
        assert History(other, 50, 180).read(["aa"]) == [[pattern]]
