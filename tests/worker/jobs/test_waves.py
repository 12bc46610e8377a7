"""A chunk's scores are those that its patterns would have got one by one."""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import partial
from typing import Any

import pytest
from redis import Redis

from api.jobs.worded import page_of
from ml.scorer import Scorer
from tests.worker.batches import window
from tests.worker.dead_server import dead_redis
from tests.worker.jobs.posted import job_rows, row, scattered
from tests.worker.outcomes import answers_of
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History, HistoryUnavailableError
from worker.jobs.entries import joined
from worker.jobs.waves import Scored, Waves
from worker.records import Pattern
from worker.scoring import ScoringCore

RULE = EnrolmentRule(60, 0.99)
ANY = EnrolmentRule(0, 0.999)
NOW = 1_790_000_000
DAY = 86_400
Given = list[tuple[list[Any], float]]  # rows of the wire, and when they were typed


def rows(count: int, seed: int, *, rich: bool = False) -> Given:
    """Patterns of a few DIDs, some without a name, some with a history of the caller's."""
    rng = random.Random(seed)
    found = []
    for n in range(count):
        did = rng.choice(["aa", "bb", "cc", "dd", None])
        brought = [[NOW - 60 * k, 60.0, 110.0, 90.0, 3.0] for k in range(1, rng.randrange(2, 9))]
        each = row(did, rng.uniform(55, 66), brought if rng.random() < 0.3 else None)
        if rich and rng.random() < 0.6:
            each[3] = [window(n) for n in range(n, n + rng.randrange(1, 4))]
        found.append((each, NOW + 3600.0 * n))
    return found


def told(result: Scored) -> list[dict[str, Any]]:
    """The answers, in order, as the front end words them."""
    lines = [line for line in page_of(result.results.pages().values()) if line is not None]
    answers: list[dict[str, Any]] = list(map(json.loads, lines))
    assert [answer.pop("index") for answer in answers] == list(range(len(answers)))
    return answers


def entered(result: Scored) -> list[tuple[str, list[bytes]]]:
    return list(joined(result.entering).by_did())


def one_by_one(scorer: Scorer, history: History, given: Given) -> list[dict[str, Any]]:
    answers = []
    for each, now in given:
        core = ScoringCore(
            lambda: HeldModel(scorer, 50, 0), history, RULE, clock=partial(float, now)
        )
        message = {"v": 1, "sent": 0, "deadline": NOW * 4, "rows": [each]}
        outcome = core.answer(message)
        history.append(outcome.entries)
        answers.append({**answers_of(outcome)[0], "inference_time_ms": 0})
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
    result = waves.score(job_rows(given), lambda: None)
    expected = one_by_one(scorer, history, given)
    found = [{**answer, "inference_time_ms": 0} for answer in told(result)]
    for each in found:
        if "DID_ABBREVIATED" in each["reasons"]:
            each["reasons"] = each["reasons"][1:]
    assert found == expected
    recorded = Counter(
        each[0] for (each, _), answer in zip(given, expected, strict=True) if answer["recorded"]
    )
    assert {did: len(entries) for did, entries in entered(result)} == recorded
    assert any(len(each) > 100 for _, entries in entered(result) for each in entries) == rich
    stored = dict(history.everyone())
    redis.flushdb()
    history.append([Entry("aa".ljust(32, "0"), first)])
    assert history.enter_once("mark", entered(result), 60)
    assert dict(history.everyone()) == stored
    assert result.results.counts() == (60, 0)


def dated(count: int, first: int, step: int, *, speed: float = 0.0) -> Given:
    return [(row("aa", scattered(n) + speed), float(first + step * n)) for n in range(count)]


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
        result = waves.score(job_rows(given), lambda: None)
        assert history.enter_once(f"mark {job}", entered(result), 60)
        assert sum(each["recorded"] for each in told(result)) == 3 * (job == 0)
    assert any("UPDATE_WITHHELD" in each["reasons"] for each in told(result))
    found = history.read(["aa".ljust(32, "0")])[0]
    assert [each.unix_seconds for each in found] == [NOW, NOW, NOW, old.unix_seconds]


def test_a_backlog_builds_a_history_with_its_own_days(scorer: Scorer, redis: Redis) -> None:
    history = History(redis, 50, 180, quota=3)
    waves = Waves(lambda: HeldModel(scorer, -1, 0), history, ANY, clock=lambda: NOW)
    given = dated(12, NOW - 40 * DAY, DAY + 1)
    result = waves.score(job_rows(given), lambda: None)
    times = joined(result.entering).records["seconds"].tolist()
    assert len(times) > 6
    assert set(times) <= {int(seconds) for _, seconds in given}
    assert history.enter_once("mark", entered(result), 60)
    assert len(history.read(["aa".ljust(32, "0")])[0]) == len(times)


def test_a_nameless_pattern_says_so_and_is_never_recorded(scorer: Scorer, redis: Redis) -> None:
    given = job_rows([(row(None), float(NOW)) for n in range(3)])
    waves = Waves(lambda: HeldModel(scorer, 50, 0), History(redis, 50, 180), RULE)
    result = waves.score(given, lambda: None)
    assert entered(result) == []
    assert {answer["reasons"][0] for answer in told(result)} == {"DID_ABBREVIATED"}
    assert {answer["history_used"] for answer in told(result)} == {0}


def test_who_must_be_told_is_told_after_each_batch(scorer: Scorer, redis: Redis) -> None:
    calls: list[int] = []
    given = job_rows([(row("aa"), float(NOW + n)) for n in range(4)])
    waves = Waves(lambda: HeldModel(scorer, 50, 0), History(redis, 50, 180), RULE)
    waves.score(given, lambda: calls.append(1))
    assert len(calls) == 4


def test_histories_that_cannot_be_read_are_no_empty_histories(scorer: Scorer) -> None:
    waves = Waves(lambda: HeldModel(scorer, 50, 0), History(dead_redis(), 50, 180), RULE)
    with pytest.raises(HistoryUnavailableError):
        waves.score(job_rows([(row("aa"), float(NOW))]), lambda: None)
