"""The key that says a worker lives."""

from __future__ import annotations

import time

from redis import Redis

from tests.worker.dead_server import dead_redis
from worker.contract import ALIVE_KEY
from worker.heartbeat import BEAT_SECONDS, LIFETIME_MS, Heartbeat
from worker.redis_client import open_redis


def test_one_missed_beat_does_not_end_the_key() -> None:
    assert LIFETIME_MS / 1000 > 2 * BEAT_SECONDS


def test_the_key_lives_while_the_worker_beats_and_dies_after_it_stops(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.delete(ALIVE_KEY)
        heartbeat = Heartbeat(open_redis(redis_url), "online@test")
        heartbeat.start()
        time.sleep(LIFETIME_MS / 1000 + BEAT_SECONDS)
        assert redis.get(ALIVE_KEY) == b"online@test"
        heartbeat.stop()
        time.sleep(LIFETIME_MS / 1000 + BEAT_SECONDS)
        assert redis.get(ALIVE_KEY) is None


def test_a_server_that_is_gone_is_noticed_and_ends_nothing() -> None:
    assert Heartbeat(dead_redis(), "online@test").beat() is False
