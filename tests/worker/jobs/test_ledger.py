"""Claims, fences and leases, on a real server."""

from __future__ import annotations

import time
from typing import Any

import pytest
from redis import Redis

from tests.worker.jobs.posted import JOB, post, row
from worker.contract import (
    ACTIVE_JOBS,
    CALLBACKS,
    DEAD_CHUNKS,
    JOB_BY_CONTENT,
    MAX_CHUNK_FAILURES,
    JobKeys,
)
from worker.jobs.ledger import Claim, Ledger
from worker.jobs.rows import rows_of

LEASE_SECONDS = 0.2
KEYS = JobKeys(JOB)


@pytest.fixture
def ledger(redis: Redis, redis_url: str) -> Ledger:
    post(redis_url, [(row("aa", 60 + n), float(n)) for n in range(5)])
    return Ledger(redis, LEASE_SECONDS)


def claimed(ledger: Ledger) -> Claim:
    claim = ledger.claim(JOB, 0)
    assert claim is not None
    return claim


def job(redis: Redis) -> dict[str, str]:
    stored: Any = redis.hgetall(KEYS.job)
    return {name.decode(): value.decode() for name, value in stored.items()}


def test_a_chunk_has_one_owner_at_a_time(ledger: Ledger, redis: Redis) -> None:
    claim = claimed(ledger)
    assert ledger.claim(JOB, 0) is None
    assert ledger.claim(JOB, 1) is None
    assert ledger.claim("f" * 32, 0) is None
    assert job(redis)["state"] == "running"
    assert rows_of(ledger.fragments(claim)).packed["position"].tolist() == [0, 1, 2, 3, 4]


def test_nobody_takes_a_chunk_over_before_its_lease_is_over(ledger: Ledger) -> None:
    claim = claimed(ledger)
    assert ledger.expire(JOB, 0) == -1
    time.sleep(LEASE_SECONDS * 0.6)
    assert ledger.renew(claim)
    time.sleep(LEASE_SECONDS * 0.6)
    assert ledger.expire(JOB, 0) == -1
    time.sleep(LEASE_SECONDS)
    assert [chunk.expired for chunk in ledger.open_chunks(JOB)] == [True]
    assert ledger.expire(JOB, 0) == 1


def test_who_lost_the_claim_can_write_nothing_any_more(ledger: Ledger, redis: Redis) -> None:
    late = claimed(ledger)
    time.sleep(LEASE_SECONDS * 1.1)
    ledger.expire(JOB, 0)
    owner = late
    for _ in range(2):  # while the chunk waits, and when somebody else has it
        assert not ledger.renew(late)
        assert not ledger.store(late, {0: b"late"}, b"late")
        assert ledger.close(late, 5, 0) is None
        assert ledger.release(late, failed=True) == -1
        owner = ledger.claim(JOB, 0) or owner
    assert owner.fence != late.fence
    assert ledger.store(owner, {0: b"results"}, b"entries")
    assert redis.hgetall(KEYS.results(0)) == {b"0": b"results"}
    assert ledger.entries(owner) == b"entries"


def test_what_is_stored_is_not_scored_again(ledger: Ledger) -> None:
    first = claimed(ledger)
    assert not first.stored
    assert ledger.store(first, {0: b"results"}, b"entries")
    assert ledger.release(first, failed=False) == 0
    assert claimed(ledger).stored


def test_the_last_chunk_ends_the_job_frees_its_rows_and_dates_its_results(
    ledger: Ledger, redis: Redis
) -> None:
    claim = claimed(ledger)
    ledger.store(claim, {0: b"results"}, b"entries")
    closed = ledger.close(claim, 4, 1)
    assert closed is not None
    assert closed.next_chunk is None
    found = job(redis)
    assert (found["state"], found["done"], found["failed"], found["open"]) == (
        "done",
        "4",
        "1",
        "0",
    )
    assert redis.zcard(ACTIVE_JOBS) == 0
    assert not redis.exists(KEYS.data(0xAA), KEYS.entries(0))
    kept = [KEYS.job, KEYS.ledger, KEYS.plan, KEYS.results(0), JOB_BY_CONTENT % f"me:{JOB}"]
    assert all(0 < int(redis.ttl(key)) <= 600 for key in kept)
    assert ledger.claim(JOB, 0) is None


def test_a_job_without_one_score_is_failed(ledger: Ledger, redis: Redis) -> None:
    claim = claimed(ledger)
    ledger.store(claim, {0: b"errors"}, b"")
    assert ledger.close(claim, 0, 5) is not None
    assert job(redis)["state"] == "failed"


def test_a_chunk_that_failed_too_often_is_buried_with_its_job_ended(
    ledger: Ledger, redis: Redis
) -> None:
    for failures in range(1, MAX_CHUNK_FAILURES + 1):
        assert ledger.release(claimed(ledger), failed=True) == failures
    assert ledger.claim(JOB, 0) is None
    claim, rows = ledger.waiting(JOB, 0)
    assert rows == 5
    assert ledger.bury(claim, rows, "{}", {0: b"why"}) is not None
    assert redis.hgetall(KEYS.results(0)) == {b"0": b"why"}
    assert redis.hkeys(DEAD_CHUNKS) == [f"{JOB}.0".encode()]
    assert job(redis)["state"] == "failed"
    assert ledger.bury(claim, rows, "{}", {0: b"again"}) is None
    assert redis.hgetall(KEYS.results(0)) == {b"0": b"why"}
    assert job(redis)["failed"] == "5"


def test_a_chunk_that_another_scored_meanwhile_keeps_its_results(
    ledger: Ledger, redis: Redis
) -> None:
    waiting, rows = ledger.waiting(JOB, 0)
    claim = claimed(ledger)
    ledger.store(claim, {0: b"results"}, b"entries")
    assert ledger.close(claim, 5, 0) is not None
    assert ledger.bury(waiting, rows, "{}", {0: b"why"}) is None
    assert redis.hgetall(KEYS.results(0)) == {b"0": b"results"}
    assert not redis.exists(DEAD_CHUNKS)


def test_a_job_of_whose_end_somebody_wants_to_be_told_is_put_on_the_list(
    ledger: Ledger, redis: Redis
) -> None:
    redis.hset(KEYS.job, mapping={"callback": "https://x/", "callback_state": "waiting"})
    claim = claimed(ledger)
    ledger.store(claim, {0: b"results"}, b"entries")
    assert redis.zcard(CALLBACKS) == 0
    ledger.close(claim, 5, 0)
    assert redis.zrange(CALLBACKS, 0, -1) == [JOB.encode()]
    assert job(redis)["callback_state"] == "pending"


def test_a_long_chain_is_worked_off_one_after_the_other(redis: Redis, redis_url: str) -> None:
    plan = post(redis_url, [(row("aa", 60), float(n)) for n in range(5000)])
    assert len(plan) == 1  # all in one fragment: nothing to cut
    redis.hset(KEYS.plan, "0", '{"rows":1,"after":null,"next":1,"parts":[]}')
    redis.hset(KEYS.plan, "1", '{"rows":1,"after":0,"next":null,"parts":[]}')
    redis.hset(KEYS.ledger, "s:1", "waiting")
    redis.hset(KEYS.job, "open", 2)
    ledger = Ledger(redis, LEASE_SECONDS)
    assert ledger.claim(JOB, 1) is None
    assert {chunk.chunk: chunk.ready for chunk in ledger.open_chunks(JOB)} == {0: True, 1: False}
    closed = ledger.close(claimed(ledger), 1, 0)
    assert closed is not None
    assert closed.next_chunk == 1
    assert ledger.claim(JOB, 1) is not None


def test_a_job_that_was_forgotten_is_taken_off_the_list(ledger: Ledger, redis: Redis) -> None:
    assert ledger.active() == [JOB]
    redis.delete(KEYS.job)
    assert ledger.active() == []
    assert redis.zcard(ACTIVE_JOBS) == 0
