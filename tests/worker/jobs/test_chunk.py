"""A chunk from its name to its end, with every way to be interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from api.jobs.worded import page_of
from ml.scorer import Scorer
from tests.worker.dead_server import dead_redis
from tests.worker.entering import by_did
from tests.worker.jobs.posted import JOB, post, row, scattered
from worker.contract import JobKeys
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History, HistoryUnavailableError
from worker.jobs.chunk import Chunks
from worker.jobs.ended import Ended
from worker.jobs.ledger import Claim, Ledger
from worker.jobs.sweep import Sweep
from worker.jobs.waves import Waves
from worker.records import Pattern

RULE = EnrolmentRule(0, 0.99)
KEYS = JobKeys(JOB)
DID = "aa".ljust(32, "0")


class Rig:
    """One worker's parts over one server."""

    def __init__(self, redis: Redis, scorer: Callable[[], Any], lease_seconds: float = 5) -> None:
        self.redis = redis
        self.history = History(redis, 50, 180)
        self.ledger = Ledger(redis, lease_seconds)
        waves = Waves(lambda: HeldModel(scorer(), -1, 0), self.history, RULE)
        self.chunks = Chunks(self.ledger, waves, self.history, lease_seconds, lambda: 0.0)
        self.sent: list[tuple[str, int]] = []
        self.sweep = Sweep(
            self.ledger, lambda *name: self.sent.append(name), lambda: 0, lambda: 1.5
        )

    def results(self) -> list[dict[str, Any]]:
        stored: Any = self.redis.hvals(KEYS.results(0))
        return [json.loads(line) for line in page_of(stored) if line is not None]

    def job(self, *names: str) -> list[str]:
        found: Any = self.redis.hmget(KEYS.job, *names)
        return [value.decode() for value in found]


@pytest.fixture
def rig(redis: Redis, redis_url: str, scorer: Scorer) -> Rig:
    post(redis_url, [(row("aa", scattered(n)), float(9 - n)) for n in range(8)])
    return Rig(redis, lambda: scorer)


def broken() -> Scorer:
    raise RuntimeError("the model is out of order")


def test_every_pattern_gets_its_result_and_the_history_grows_in_order_of_time(rig: Rig) -> None:
    assert rig.chunks.work_off(JOB, 0) == Ended(scored=8)
    results = rig.results()
    assert [each["index"] for each in results] == list(range(8))
    assert [each["history_used"] for each in results] == [7, 6, 5, 4, 3, 2, 1, 0]
    assert [pattern.unix_seconds for pattern in rig.history.read([DID])[0]] == list(range(9, 1, -1))
    assert rig.job("state", "done") == ["done", "8"]


def test_a_message_that_comes_twice_is_counted_once(rig: Rig) -> None:
    rig.chunks.work_off(JOB, 0)
    assert rig.chunks.work_off(JOB, 0) == Ended()
    assert len(rig.history.read([DID])[0]) == 8
    assert rig.job("done") == ["8"]


def test_results_can_be_fetched_before_their_chunk_has_ended(rig: Rig) -> None:
    finish = rig.chunks.begin(JOB, 0)
    assert len(rig.results()) == 8
    assert rig.job("state", "done") == ["running", "0"]
    assert rig.history.read([DID]) == [[]]
    assert finish() == Ended(scored=8)
    assert rig.job("state", "done") == ["done", "8"]
    assert len(rig.history.read([DID])[0]) == 8


def test_an_end_that_comes_after_its_lease_changes_nothing(rig: Rig, redis: Redis) -> None:
    late = rig.chunks.begin(JOB, 0)
    redis.hset(KEYS.ledger, "l:0", 1)
    rig.ledger.expire(JOB, 0)
    assert rig.chunks.work_off(JOB, 0) == Ended(scored=8)
    assert late() == Ended()
    assert len(rig.history.read([DID])[0]) == 8
    assert rig.job("state", "done") == ["done", "8"]


def test_a_worker_that_dies_after_storing_leaves_nothing_to_score_again(
    rig: Rig, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rig.history, "enter_once", die)
        with pytest.raises(KeyboardInterrupt):
            rig.chunks.work_off(JOB, 0)
    before = rig.results()
    redis.hset(KEYS.ledger, "l:0", 1)  # its lease is over
    assert rig.sweep.run() == 1
    other = Rig(redis, broken)  # this one could not score
    assert other.chunks.work_off(JOB, 0) == Ended(scored=8)
    assert rig.results() == before
    assert len(rig.history.read([DID])[0]) == 8


def test_a_worker_that_dies_after_the_histories_writes_them_no_second_time(
    rig: Rig, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rig.ledger, "close", die)
        with pytest.raises(KeyboardInterrupt):
            rig.chunks.work_off(JOB, 0)
    assert len(rig.history.read([DID])[0]) == 8
    redis.hset(KEYS.ledger, "l:0", 1)
    rig.sweep.run()
    assert rig.chunks.work_off(JOB, 0) == Ended(scored=8)
    assert len(rig.history.read([DID])[0]) == 8
    assert rig.job("state", "done") == ["done", "8"]


def test_a_worker_that_was_overtaken_while_it_scored_changes_nothing(
    rig: Rig, redis: Redis, scorer: Scorer
) -> None:
    def overtaken() -> Scorer:
        redis.hset(KEYS.ledger, "l:0", 1)
        rig.ledger.expire(JOB, 0)
        rig.chunks.work_off(JOB, 0)
        return scorer

    assert Rig(redis, overtaken).chunks.work_off(JOB, 0) == Ended()
    assert len(rig.history.read([DID])[0]) == 8
    assert rig.job("done", "failed") == ["8", "0"]


def test_a_chunk_that_fails_three_times_ends_its_job_with_its_patterns_named(
    redis: Redis, rig: Rig
) -> None:
    failing = Rig(redis, broken)
    assert failing.chunks.work_off(JOB, 0) == Ended(send=0)
    assert failing.chunks.work_off(JOB, 0) == Ended(send=0)
    assert failing.chunks.work_off(JOB, 0) == Ended()
    assert failing.sweep.run() == 0
    assert rig.job("state", "failed") == ["failed", "8"]
    results = rig.results()
    assert [each["index"] for each in results] == list(range(8))
    assert {each["error_code"] for each in results} == {"INFERENCE_ERROR"}
    assert f"{JOB}.0" in results[0]["detail"]
    assert rig.history.read([DID]) == [[]]


def test_histories_that_are_away_are_no_failure_of_the_chunk(
    redis: Redis, redis_url: str, scorer: Scorer
) -> None:
    post(redis_url, [(row("aa"), 1.0)])
    rig = Rig(redis, lambda: scorer)
    waves = Waves(lambda: HeldModel(scorer, -1, 0), History(dead_redis(), 50, 180), RULE)
    cut_off = Chunks(rig.ledger, waves, rig.history, 5, lambda: 0.0)
    for _ in range(5):
        assert cut_off.work_off(JOB, 0) == Ended()
    assert rig.chunks.work_off(JOB, 0) == Ended(scored=1)


def test_a_ledger_that_is_away_costs_the_message_and_no_worker(scorer: Scorer) -> None:
    assert Rig(dead_redis(), lambda: scorer).chunks.work_off(JOB, 0) == Ended()


def test_a_long_chunk_renews_its_lease_and_stops_when_it_is_lost(
    redis: Redis, redis_url: str, scorer: Scorer
) -> None:
    post(redis_url, [(row("aa", scattered(n)), float(n)) for n in range(4)])
    rig = Rig(redis, lambda: scorer)
    renewals: list[bool] = []
    renew = rig.ledger.renew

    def watched(claim: Claim) -> bool:
        renewals.append(renew(claim))
        return renewals[-1]

    rig.ledger.renew = watched  # type: ignore[method-assign]
    ticks = iter(range(0, 1000, 10))
    waves = Waves(lambda: HeldModel(scorer, -1, 0), rig.history, RULE)
    Chunks(rig.ledger, waves, rig.history, 5, lambda: float(next(ticks))).work_off(JOB, 0)
    assert renewals == [True] * 4


def test_what_enters_histories_once_enters_whole_and_in_order(rig: Rig) -> None:
    patterns = [Pattern(n, (60.0 + n, 110.0, 90.0, 3.0)) for n in range(4)]
    entries = [Entry(DID, pattern) for pattern in patterns[:3]] + [Entry("bb", patterns[3], True)]
    assert rig.history.enter_once("mark", by_did(entries), 60)
    assert not rig.history.enter_once("mark", by_did(entries), 60)
    assert rig.history.read([DID, "bb"]) == [patterns[2::-1], [patterns[3]]]
    with pytest.raises(HistoryUnavailableError):
        History(dead_redis(), 50, 180).enter_once("mark", by_did(entries), 60)


def test_a_pattern_that_would_found_a_history_enters_none_that_was_founded_meanwhile(
    rig: Rig,
) -> None:
    first, late = (Pattern(n, (60.0 + n, 110.0, 90.0, 3.0)) for n in range(2))
    rig.history.append([Entry(DID, first)])
    rig.history.enter_once("mark", by_did([Entry(DID, late, founding=True)]), 60)
    assert rig.history.read([DID]) == [[first]]
