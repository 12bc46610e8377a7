"""The kept connection, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from tests.worker.dead_server import dead_redis
from worker.kept_connection import KeptConnection
from worker.redis_client import open_redis


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with open_redis(redis_url, command_seconds=0.2) as client:
        client.flushdb()
        yield client


def test_replies_come_in_the_commands_order(redis: Redis) -> None:
    kept = KeptConnection(redis)
    asked = [("SET", "a", b"\xff\x00"), ("RPUSH", "list", 1, "two"), ("GET", "a"), ("GET", "none")]
    assert kept.call(asked) == [b"OK", 2, b"\xff\x00", None]
    assert kept.call([]) == []


def test_an_error_of_one_command_is_its_reply_and_the_others_have_theirs(redis: Redis) -> None:
    kept = KeptConnection(redis)
    wrong, right = kept.call([("INCRBY", "n", "many"), ("INCRBY", "n", 3)])
    assert isinstance(wrong, ResponseError)
    assert right == 3
    assert kept.call([("GET", "n")]) == [b"3"]


def test_what_was_sent_is_done_before_anybody_reads_its_replies(redis: Redis) -> None:
    kept = KeptConnection(redis)
    kept.send([("INCR", "n"), ("RPUSH", "done", "yes")])
    assert redis.blpop(["done"], timeout=5) is not None
    assert redis.get("n") == b"1"
    assert kept.replies(2) == [1, 1]


def test_answers_may_be_read_later_and_in_any_order(redis: Redis) -> None:
    kept = KeptConnection(redis)
    first = kept.ask([("INCR", "n"), ("GET", "n")])
    second = kept.ask([("INCR", "n")])
    assert kept.call([("GET", "n")]) == [b"2"]
    assert kept.answers(second) == [2]
    assert kept.answers(first) == kept.answers(first) == [1, b"1"]


def test_what_was_asked_over_a_connection_that_broke_is_asked_again_once(redis: Redis) -> None:
    kept = KeptConnection(redis)
    [client] = kept.call([("CLIENT", "ID")])
    asked = kept.ask([("BLPOP", "queue", 9)])
    redis.client_kill_filter(_id=client)
    redis.rpush("queue", "late")
    assert kept.answers(asked) == [[b"queue", b"late"]]


def test_what_failed_spoils_nothing_that_is_asked_after_it(redis: Redis) -> None:
    kept = KeptConnection(redis)
    late = kept.ask([("BLPOP", "never", 9)])
    after = kept.ask([("PING",)])
    assert kept.answers(after) == [b"PONG"]
    with pytest.raises(RedisTimeoutError):
        kept.answers(late)


def test_one_connection_serves_all_calls(redis: Redis) -> None:
    kept = KeptConnection(redis)
    ids = [kept.call([("CLIENT", "ID")]) for _ in range(3)]
    assert ids[0] == ids[1] == ids[2]


def test_a_connection_that_broke_in_between_is_opened_again(redis: Redis) -> None:
    kept = KeptConnection(redis)
    [first] = kept.call([("CLIENT", "ID")])
    redis.client_kill_filter(_id=first)
    [second] = kept.call([("CLIENT", "ID")])
    assert second != first


def test_a_server_that_became_a_replica_is_left_when_all_its_replies_are_read(redis: Redis) -> None:
    kept = KeptConnection(redis)
    [first] = kept.call([("CLIENT", "ID")])
    redis.replicaof("127.0.0.1", "1")
    try:
        refused, read = kept.call([("INCR", "n"), ("GET", "n")])
    finally:
        redis.replicaof("NO", "ONE")
    assert isinstance(refused, ReadOnlyError)
    assert read is None
    second, written = kept.call([("CLIENT", "ID"), ("INCR", "n")])
    assert (second != first, written) == (True, 1)


def test_replies_of_a_connection_that_broke_are_told_to_be_missing(redis: Redis) -> None:
    kept = KeptConnection(redis)
    [client] = kept.call([("CLIENT", "ID")])
    kept.send([("BLPOP", "never", 9)])
    redis.client_kill_filter(_id=client)
    with pytest.raises(RedisConnectionError):
        kept.replies(1)
    assert kept.call([("PING",)]) == [b"PONG"]


def test_a_late_reply_is_an_error_and_never_taken_for_the_next_ones(redis: Redis) -> None:
    kept = KeptConnection(redis)
    with pytest.raises(RedisTimeoutError):
        kept.call([("BLPOP", "queue", 9)])
    redis.rpush("queue", "late")
    assert kept.call([("PING",), ("LLEN", "queue")]) == [b"PONG", 1]


def test_a_server_that_is_gone_is_an_error() -> None:
    kept = KeptConnection(dead_redis())
    with pytest.raises(RedisConnectionError):
        kept.call([("PING",)])
    asked = kept.ask([("PING",)])
    with pytest.raises(RedisConnectionError):
        kept.answers(asked)
    with pytest.raises(RedisConnectionError):
        kept.send([("PING",)])
    with pytest.raises(RedisConnectionError):
        kept.replies(1)
