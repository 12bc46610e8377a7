"""The bare echo."""

from __future__ import annotations

import sys

import pytest
from redis import Redis

from bench.peers.echo import ANSWERS, QUESTIONS, EchoClient
from scripts.part import Part


def test_what_is_asked_comes_back_one_at_a_time(redis_url: str) -> None:
    echo = Part("bench-test-echo", [sys.executable, "-m", "bench.peers.echo"])
    echo.environment["REDIS_URL"] = redis_url
    echo.start()
    try:
        taken = EchoClient(redis_url).round_trips_ms(b"a message", 0.1)
    finally:
        echo.stop()
    assert taken
    assert min(taken) > 0
    with Redis.from_url(redis_url) as redis:
        assert redis.llen(QUESTIONS) == redis.llen(ANSWERS) == 0


def test_another_message_than_ones_own_is_an_error(redis_url: str) -> None:
    url = redis_url[:-1] + "5"
    with Redis.from_url(url) as redis:
        redis.lpush(ANSWERS, b"a stranger's")
    with pytest.raises(RuntimeError, match="another message"):
        EchoClient(url).ask(b"mine")
