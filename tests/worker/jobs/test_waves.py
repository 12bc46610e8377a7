"""A chunk's scores are those that its patterns would have got one by one."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest
from redis import Redis

from ml.scorer import Scorer
from tests.worker.batches import window
from tests.worker.dead_server import dead_redis
from tests.worker.jobs.posted import row, scattered
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History, HistoryUnavailableError
from worker.jobs.rows import JobRow
from worker.jobs.waves import Waves
from worker.records import Pattern
from worker.scoring import ScoringCore

RULE = EnrolmentRule(60, 0.99)
ANY = EnrolmentRule(0, 0.999)
NOW = 1_790_000_000
DAY = 86_400


def rows(count: int, seed: int, *, rich: bool = False) -> list[JobRow]:
    """Patterns of a few DIDs, some without a name, some with a history of the caller's."""
    rng = random.Random(seed)
    found = []
    for n in range(count):
        did = rng.choice(["aa", "bb", "cc", "dd", None])
        brought = [[NOW - 60 * k, 60.0, 110.0, 90.0, 3.0] for k in range(1, rng.randrange(2, 9))]
        each = row(did, rng.uniform(55, 66), brought if rng.random() < 0.3 else None)
        if rich and rng.random() < 0.6:
            each[3] = [window(n) for n in range(n, n + rng.randrange(1, 4))]
        found.append(JobRow(n, each, NOW + 3600.0 * n))
    return found


def one_by_one(scorer: Scorer, history: History, given: list[JobRow]) -> list[dict[str, Any]]:
    answers = []
    for each in given:
        now = each.unix_seconds
        core = ScoringCore(
            lambda: HeldModel(scorer, 50, 0), history, RULE, clock=partial(float, now)
        )
        message = {"v": 1, "sent": 0, "deadline": NOW * 4, "rows": [each.row]}
        outcome = core.answer(message)
        history.append(outcome.entries)
        answers.append({**outcome.answers[0], "inference_time_ms": 0})
    return answers


@pytest.mark.parametrize("rich", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_chunk_is_scored_as_if_its_patterns_had_come_one_by_one(
    scorer: Scorer, redis: Redis, seed: int, rich: bool
) -> None:
    # short, so that old patterns fall out on the way; and a day has room for few
    history = History(redis, 6, 180, quota=4)
    first = Pattern(NOW - 1, (60.5, 111.0, 91.0, 2.0), 9)
    history.append([Entry("aa".ljust(32, "0"), first)])
    given = rows(60, seed, rich=rich)
    waves = Waves(lambda: HeldModel(scorer, 50, 0), history, RULE, clock=lambda: NOW)
    result = waves.score(given, lambda: None)
    expected = one_by_one(scorer, history, given)
    found = [{**result.answers[n], "inference_time_ms": 0} for n in range(60)]
    for each in found:
        if "DID_ABBREVIATED" in each["reasons"]:
            each["reasons"] = each["reasons"][1:]
    assert found == expected
    recorded = [
        each.row[0] for each, answer in zip(given, expected, strict=True) if answer["recorded"]
    ]
    assert sorted(entry.did_hash for entry in result.entries) == sorted(recorded)
    assert any(entry.pattern.extra for entry in result.entries) == rich
    stored = dict(history.everyone())
    redis.flushdb()
    history.append([Entry("aa".ljust(32, "0"), first)])
    assert history.enter_once("mark", result.entries, 60)
    assert dict(history.everyone()) == stored
    assert result.failed == 0


def dated(count: int, first: int, step: int, *, speed: float = 0.0) -> list[JobRow]:
    return [
        JobRow(n, row("aa", scattered(n) + speed), float(first + step * n)) for n in range(count)
    ]


@pytest.mark.parametrize("first", [1_500_000_000, NOW - 40 * DAY])
def test_no_choice_of_times_gets_more_into_a_history_than_a_day_has_room_for(
    scorer: Scorer, redis: Redis, first: int
) -> None:
    history = History(redis, 50, 180, quota=3)
    old = Pattern(NOW - 50 * DAY, (60.2, 110.3, 90.0, 3.0), 9)
    history.append([Entry("aa".ljust(32, "0"), old)])
    waves = Waves(lambda: HeldModel(scorer, -1, 0), history, ANY, clock=lambda: NOW)
    for job in range(3):
        given = dated(12, first, DAY + 1, speed=job / 100)
        result = waves.score(given, lambda: None)
        assert history.enter_once(f"mark {job}", result.entries, 60)
        assert sum(each["recorded"] for each in result.answers.values()) == 3 * (job == 0)
    assert any("UPDATE_WITHHELD" in each["reasons"] for each in result.answers.values())
    found = history.read(["aa".ljust(32, "0")])[0]
    assert [each.unix_seconds for each in found] == [NOW, NOW, NOW, old.unix_seconds]


def test_a_backlog_builds_a_history_with_its_own_days(scorer: Scorer, redis: Redis) -> None:
    history = History(redis, 50, 180, quota=3)
    waves = Waves(lambda: HeldModel(scorer, -1, 0), history, ANY, clock=lambda: NOW)
    given = dated(12, NOW - 40 * DAY, DAY + 1)
    result = waves.score(given, lambda: None)
    times = [entry.pattern.unix_seconds for entry in result.entries]
    assert len(times) > 6
    assert set(times) <= {int(each.unix_seconds) for each in given}
    assert history.enter_once("mark", result.entries, 60)
    assert len(history.read(["aa".ljust(32, "0")])[0]) == len(times)


def test_a_nameless_pattern_says_so_and_is_never_recorded(scorer: Scorer, redis: Redis) -> None:
    given = [JobRow(n, row(None), float(NOW)) for n in range(3)]
    result = Waves(lambda: HeldModel(scorer, 50, 0), History(redis, 50, 180), RULE).score(
        given, lambda: None
    )
    assert result.entries == []
    assert {answer["reasons"][0] for answer in result.answers.values()} == {"DID_ABBREVIATED"}
    assert {answer["history_used"] for answer in result.answers.values()} == {0}


def test_who_must_be_told_is_told_after_each_batch(scorer: Scorer, redis: Redis) -> None:
    calls: list[int] = []
    given = [JobRow(n, row("aa"), float(NOW + n)) for n in range(4)]
    waves = Waves(lambda: HeldModel(scorer, 50, 0), History(redis, 50, 180), RULE)
    waves.score(given, lambda: calls.append(1))
    assert len(calls) == 4


def test_histories_that_cannot_be_read_are_no_empty_histories(scorer: Scorer) -> None:
    waves = Waves(lambda: HeldModel(scorer, 50, 0), History(dead_redis(), 50, 180), RULE)
    with pytest.raises(HistoryUnavailableError):
        waves.score([JobRow(0, row("aa"), float(NOW))], lambda: None)
