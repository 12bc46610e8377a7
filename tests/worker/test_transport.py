"""What the channel takes from a real broker, and when it asks for more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from queue import Empty
from typing import Any

import pytest
from kombu.connection import Connection
from redis import Redis

from worker.celery_app import create_celery
from worker.transport import Channel

QUEUE = "taken"
PATIENCE_SECONDS = 0.2  # for a server that others keep from answering in a millisecond


class Taker:
    """A channel that consumes, and a short way that notes what it was given.

    It asks for the next message where one waits, so that no round ends with a wait for nothing.
    """

    def __init__(self, url: str, waits: Callable[[], bool]) -> None:
        options = create_celery(url, ack_emulation=False).conf.broker_transport_options
        connection: Any = Connection(  # type: ignore[no-untyped-call]
            url, transport="worker.transport:Transport", transport_options=options
        )
        self.connection = connection
        self.channel: Channel = connection.channel()
        self.long: list[Any] = []
        self.channel.queue_declare(QUEUE)
        self.channel.basic_consume(QUEUE, True, self.long.append, "tag")
        self.channel.short_way = self.take
        self.short: list[bytes] = []
        self.asks = waits

    def take(self, item: bytes) -> bool:
        if not item.startswith(b"short"):
            return False
        self.short.append(item)
        if self.asks():
            self.channel.ask_next()
        return True

    def round(self) -> None:
        """As Celery's loop: ask, wait, read."""
        cycle = self.channel.connection.cycle
        cycle.on_poll_start()
        assert cycle.poller.poll(5)
        self.channel._brpop_read()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


@pytest.fixture
def taker(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taker]:
    monkeypatch.setattr("worker.transport.NEXT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr("worker.transport.ASIDE_SECONDS", 60.0)
    taker = Taker(redis_url, lambda: redis.llen(QUEUE) > 0)
    yield taker
    taker.connection.release()


def always() -> bool:
    return True


def long_message() -> bytes:
    properties = {"delivery_tag": "d", "delivery_info": {"exchange": "", "routing_key": QUEUE}}
    properties["body_encoding"] = ""
    body = {"body": "{}", "properties": properties, "headers": {}}
    return json.dumps(body | {"content-type": "application/json"}).encode()


def test_what_waits_is_taken_in_one_round_of_the_loop(redis: Redis, taker: Taker) -> None:
    redis.lpush(QUEUE, "short 1", "short 2", "short 3")
    taker.round()
    assert taker.short == [b"short 1", b"short 2", b"short 3"]


def test_what_comes_after_a_round_is_taken_in_the_next_and_nothing_is_asked_for_twice(
    redis: Redis, taker: Taker
) -> None:
    redis.lpush(QUEUE, "short 1")
    asks, taker.asks = taker.asks, always
    taker.round()
    taker.asks = asks
    redis.lpush(QUEUE, "short 2")
    redis.lpush(QUEUE, "short 3")
    taker.round()
    assert taker.short == [b"short 1", b"short 2", b"short 3"]


def test_when_the_loop_is_due_what_waits_is_left_for_any_worker(
    redis: Redis, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.transport.ASIDE_SECONDS", 0.0)
    redis.lpush(QUEUE, "short 1", "short 2")
    taker.round()
    assert taker.short == [b"short 1"]
    assert redis.lrange(QUEUE, 0, -1) == [b"short 2"]


def test_outside_of_a_round_nothing_is_asked_for(redis: Redis, taker: Taker) -> None:
    taker.asks = lambda: False
    redis.lpush(QUEUE, "short 1", "short 2")
    taker.round()
    taker.channel.ask_next()
    assert taker.short == [b"short 1"]
    assert redis.llen(QUEUE) == 1


def test_a_queue_that_is_taken_from_no_more_is_not_asked(redis: Redis, taker: Taker) -> None:
    def take(item: bytes) -> bool:
        taker.channel.basic_cancel("tag")  # type: ignore[no-untyped-call]
        return taker.take(item)

    taker.channel.short_way = take
    redis.lpush(QUEUE, "short 1", "short 2")
    taker.round()
    assert taker.short == [b"short 1"]
    assert redis.llen(QUEUE) == 1


def test_what_goes_the_long_way_behind_a_short_one_is_delivered(redis: Redis, taker: Taker) -> None:
    redis.lpush(QUEUE, b"short 1", long_message(), b"short 2")
    taker.round()
    assert (taker.short, len(taker.long)) == ([b"short 1"], 1)
    taker.round()
    assert taker.short == [b"short 1", b"short 2"]


def test_what_is_no_message_is_dropped_behind_a_short_one_and_the_next_is_taken(
    redis: Redis, taker: Taker
) -> None:
    redis.lpush(QUEUE, b"short 1", b"garbage", b"short 2")
    with pytest.raises(Empty):
        taker.round()
    taker.round()
    assert taker.short == [b"short 1", b"short 2"]


def test_a_message_that_was_on_its_way_when_the_channel_closed_is_taken(
    redis: Redis, taker: Taker
) -> None:
    redis.lpush(QUEUE, "short 1")
    taker.asks = always
    taker.round()
    redis.lpush(QUEUE, "short 2", "short 3")
    taker.channel.close()  # type: ignore[no-untyped-call]
    assert taker.short == [b"short 1", b"short 2"]
    assert redis.lrange(QUEUE, 0, -1) == [b"short 3"]


def test_a_connection_that_breaks_as_the_next_is_asked_for_spoils_no_message(
    redis: Redis, taker: Taker
) -> None:
    def take(item: bytes) -> bool:
        if item == b"short 1":
            redis.client_kill_filter(_type="normal", skipme=True)
        return taker.take(item)

    taker.asks = always
    taker.channel.short_way = take
    redis.lpush(QUEUE, "short 1")
    with pytest.raises(taker.channel.connection_errors):
        taker.round()
    taker.asks = lambda: False
    redis.lpush(QUEUE, "short 2")
    taker.round()
    assert taker.short == [b"short 1", b"short 2"]
