"""What the sweep sends again, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis

from tests.worker.jobs.posted import JOB, post, row
from worker.contract import ACTIVE_JOBS, DEAD_CHUNKS, MAX_CHUNK_FAILURES, JobKeys
from worker.jobs.ledger import Ledger
from worker.jobs.sweep import PATIENCE_LEASES, Sweep

KEYS = JobKeys(JOB)


class Queue:
    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        self.sent: list[tuple[str, int]] = []

    def send(self, job_id: str, chunk: int) -> None:
        self.sent.append((job_id, chunk))


@pytest.fixture
def ledger(redis: Redis, redis_url: str) -> Ledger:
    post(redis_url, [(row("aa"), 1.0)])
    return Ledger(redis, 60)


def sweep(ledger: Ledger, waiting: int = 0) -> list[tuple[str, int]]:
    queue = Queue(waiting)
    count = Sweep(ledger, queue.send, lambda: queue.waiting, lambda: 0.0).run()
    assert count == len(queue.sent)
    return queue.sent


def test_a_chunk_that_waits_while_nothing_is_queued_has_lost_its_message(ledger: Ledger) -> None:
    assert sweep(ledger) == [(JOB, 0)]


def test_a_chunk_whose_turn_may_still_come_is_not_sent_again(ledger: Ledger) -> None:
    assert sweep(ledger, waiting=3) == []


def test_a_chunk_that_is_worked_on_is_left_alone(ledger: Ledger) -> None:
    assert ledger.claim(JOB, 0) is not None
    assert sweep(ledger) == []


def test_a_chunk_whose_worker_died_is_sent_again_however_much_is_queued(
    ledger: Ledger, redis: Redis
) -> None:
    ledger.claim(JOB, 0)
    redis.hset(KEYS.ledger, "l:0", 1)
    assert sweep(ledger, waiting=3) == [(JOB, 0)]
    assert sweep(ledger, waiting=3) == []
    assert redis.hget(KEYS.ledger, "e:0") == b"1"


def test_what_is_stored_is_never_given_up(ledger: Ledger, redis: Redis) -> None:
    claim = ledger.claim(JOB, 0)
    assert claim is not None
    ledger.store(claim, {0: b""}, b"")
    for _ in range(5):
        redis.hset(KEYS.ledger, "l:0", 1)
        assert sweep(ledger) == [(JOB, 0)]
        assert ledger.claim(JOB, 0) is not None


def test_when_a_chunk_is_given_up_the_one_that_waited_for_it_is_sent(
    ledger: Ledger, redis: Redis
) -> None:
    plan: Any = redis.hget(KEYS.plan, "0")
    redis.hset(KEYS.plan, "0", json.dumps(json.loads(plan) | {"next": 1}))
    redis.hset(KEYS.plan, "1", '{"rows":1,"after":0,"next":null,"parts":[]}')
    redis.hset(KEYS.ledger, mapping={"s:1": "waiting", "e:0": MAX_CHUNK_FAILURES})
    redis.hset(KEYS.job, "open", 2)
    assert sweep(ledger, waiting=3) == [(JOB, 1)]


@pytest.mark.parametrize("rows", [None, b"no zlib"])
def test_a_chunk_whose_rows_cannot_be_read_is_given_up_all_the_same(
    ledger: Ledger, redis: Redis, rows: bytes | None
) -> None:
    if rows is None:
        redis.delete(KEYS.data(0xAA))
    else:
        redis.hset(KEYS.data(0xAA), "0", rows)
    redis.hset(KEYS.ledger, "e:0", MAX_CHUNK_FAILURES)
    assert sweep(ledger) == []
    assert redis.hmget(KEYS.job, "state", "failed") == [b"failed", b"1"]
    assert redis.hkeys(DEAD_CHUNKS) == [f"{JOB}.0".encode()]
    assert sweep(ledger) == []


def test_nothing_is_swept_where_there_is_no_job(redis: Redis) -> None:
    assert sweep(Ledger(redis, 60)) == []


def test_a_job_that_cannot_be_read_does_not_keep_the_others_waiting(
    ledger: Ledger, redis: Redis
) -> None:
    broken = JobKeys("f" * 32)
    redis.hset(broken.job, mapping={"state": "queued", "total": 1})
    redis.hset(broken.plan, "0", "no plan")
    redis.hset(broken.ledger, mapping={"s:0": "waiting", "e:0": MAX_CHUNK_FAILURES})
    redis.zadd(ACTIVE_JOBS, {broken.job_id: 0.0})  # the oldest, so the first to be swept
    assert sweep(ledger) == [(JOB, 0)]


def long_ago(redis: Redis, ledger: Ledger, leases: float) -> None:
    """The sweep has seen the chunk waiting so long ago."""
    seconds, _ = redis.time()
    redis.hset(KEYS.ledger, "w:0", seconds - leases * 60)


def test_a_lost_message_is_sent_again_in_a_queue_that_is_never_empty(
    ledger: Ledger, redis: Redis
) -> None:
    assert sweep(ledger, waiting=3) == []
    assert redis.hexists(KEYS.ledger, "w:0")  # since then it waits
    long_ago(redis, ledger, PATIENCE_LEASES - 1)
    assert sweep(ledger, waiting=3) == []
    long_ago(redis, ledger, PATIENCE_LEASES + 1)
    assert sweep(ledger, waiting=3) == [(JOB, 0)]
    assert sweep(ledger, waiting=3) == []  # its patience begins anew
    assert ledger.claim(JOB, 0) is not None
    assert not redis.hexists(KEYS.ledger, "w:0")


def test_a_long_queue_gets_few_names_twice(
    ledger: Ledger, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.jobs.sweep.OVERDUE_A_RUN", 0)
    long_ago(redis, ledger, PATIENCE_LEASES + 1)
    assert sweep(ledger, waiting=3) == []


def test_a_job_that_was_cancelled_meanwhile_leaves_no_ledger(ledger: Ledger, redis: Redis) -> None:
    redis.delete(KEYS.ledger)
    ledger.seen(JOB, [0])
    assert not redis.exists(KEYS.ledger)
