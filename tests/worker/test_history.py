"""Histories, on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from redis import Redis

from ml.statistics import pool
from tests.worker.batches import window
from tests.worker.dead_server import dead_redis
from tests.worker.entering import by_did
from worker.contract import REPEAT_SECONDS, asked_key, history_key
from worker.history import (
    SECONDS_A_DAY,
    SPARE,
    Entry,
    History,
    HistoryUnavailableError,
)
from worker.records import Pattern, pack_derived

BYTES_FOR_FIFTY = 2048
BYTES_FOR_FIFTY_RICH_ONES = 8192


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


def pattern(n: int) -> Pattern:
    return Pattern(1_700_000_000 + n, (60.0 + n, 100.0, 80.0, 2.5), n % 24)


def test_histories_come_in_the_order_asked_for_newest_pattern_first(redis: Redis) -> None:
    history = History(redis, 50, 180)
    history.append([Entry("aa", pattern(1)), Entry("bb", pattern(7)), Entry("aa", pattern(2))])
    assert history.read(["bb", "cc", "aa"]) == [[pattern(7)], [], [pattern(2), pattern(1)]]


def test_what_enters_is_read_back_before_it_is_known_what_entered(redis: Redis) -> None:
    history = History(redis, 50, 180)
    history.append([Entry("aa", pattern(1))])
    asked = history.enter([Entry("aa", pattern(2)), Entry("aa", pattern(2))])
    assert history.read(["aa"]) == [[pattern(2), pattern(1)]]
    assert history.entered_of(asked) == 1


def test_a_server_that_forgot_the_script_is_told_it_again(redis: Redis) -> None:
    history = History(redis, 50, 180)
    for n in range(2):
        redis.script_flush()
        assert history.append([Entry("aa", pattern(n)), Entry("bb", pattern(n))]) == 2
    assert [len(found) for found in history.read(["aa", "bb"])] == [2, 2]


def test_what_enters_over_a_connection_that_breaks_before_its_replies_enters_once(
    redis: Redis, redis_url: str
) -> None:
    history = History(redis, 50, 180)
    history.append([Entry("aa", pattern(1))])
    asked = history.enter([Entry("aa", pattern(2)), Entry("bb", pattern(3), founding=True)])
    with Redis.from_url(redis_url) as other:
        assert len(History(other, 50, 180).read(["aa"])[0]) == 2
    redis.connection_pool.disconnect()
    assert history.entered_of(asked) == 0  # by the second time, which found them there
    assert history.read(["aa", "bb"]) == [[pattern(2), pattern(1)], [pattern(3)]]


def test_a_history_keeps_the_last_patterns_only_and_expires(redis: Redis) -> None:
    history = History(redis, 3, 10)
    for n in range(5):
        history.append([Entry("aa", pattern(n))])
    assert history.read(["aa"]) == [[pattern(4), pattern(3), pattern(2)]]
    assert 9 * SECONDS_A_DAY < redis.ttl(history_key("aa")) <= 10 * SECONDS_A_DAY


def test_fifty_patterns_of_a_did_take_less_than_two_kilobytes(redis: Redis) -> None:
    history = History(redis, 50, 180)
    for n in range(60):
        history.append([Entry("ab" * 16, pattern(n))])
    size = redis.memory_usage(history_key("ab" * 16))
    assert size is not None
    assert size <= BYTES_FOR_FIFTY


def rich(n: int) -> Pattern:
    derived = pool(np.array([window(n)], dtype=np.float64))
    extra = pack_derived(derived[None])[0]
    return Pattern(1_700_000_000 + n, pattern(n).features, n % 24, extra)


def test_fifty_rich_patterns_of_a_did_take_less_than_eight_kilobytes(redis: Redis) -> None:
    history = History(redis, 50, 180)
    for n in range(60):
        history.append([Entry("ab" * 16, rich(n))])
    assert history.read(["ab" * 16]) == [[rich(59 - k) for k in range(50)]]
    size = redis.memory_usage(history_key("ab" * 16))
    assert size is not None
    assert size <= BYTES_FOR_FIFTY_RICH_ONES


DAY = 86_400


def timed(n: int, seconds: int) -> Pattern:
    return Pattern(1_700_000_000 + seconds, pattern(n).features, 9)


@pytest.mark.parametrize("at_once", [True, False])
def test_no_more_than_the_quota_enters_within_a_day_however_it_comes(
    redis: Redis, at_once: bool
) -> None:
    history = History(redis, 50, 180, quota=3)
    hours = [0, 1, 2, 3, 23, 24, 25, 26, 27, 80]
    entries = [Entry("aa", timed(n, 3600 * hour)) for n, hour in enumerate(hours)]
    if at_once:
        assert history.enter_once("mark", by_did(entries), 60)
    else:
        for entry in entries:
            history.append([entry])
    entered = [(each.unix_seconds - 1_700_000_000) // 3600 for each in history.read(["aa"])[0]]
    assert entered == [80, 26, 25, 24, 2, 1, 0]


def test_a_quota_is_of_one_did_and_none_is_no_limit(redis: Redis) -> None:
    history = History(redis, 50, 180, quota=1)
    history.append([Entry("aa", pattern(1)), Entry("bb", pattern(2)), Entry("aa", pattern(3))])
    assert [len(found) for found in history.read(["aa", "bb"])] == [1, 1]
    free = History(redis, 50, 180)
    free.append([Entry("aa", pattern(n)) for n in range(4, 9)])
    assert len(free.read(["aa"])[0]) == 6


def test_a_quota_beyond_the_length_is_the_length(redis: Redis) -> None:
    history = History(redis, 2, 180, quota=10)
    history.append([Entry("aa", pattern(n)) for n in range(5)])
    assert history.read(["aa"], spare=SPARE) == [[pattern(1), pattern(0)]]


@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_older_than_a_history_by_more_than_an_hour_does_not_enter(
    redis: Redis, at_once: bool
) -> None:
    history = History(redis, 50, 180)
    history.append([Entry("aa", timed(0, 10 * DAY))])
    hours = [-240, -24, -2, -1, 0, 1]
    entries = [Entry("aa", timed(9 + n, 10 * DAY + 3600 * hour)) for n, hour in enumerate(hours)]
    if at_once:
        assert history.enter_once("mark", by_did(entries), 60)
    else:
        history.append(entries)
    entered = [(each.unix_seconds - 1_700_000_000) // 3600 for each in history.read(["aa"])[0]]
    assert entered == [241, 240, 239, 240]


def test_a_backlog_builds_a_history_where_there_is_none(redis: Redis) -> None:
    history = History(redis, 50, 180, quota=2)
    assert history.enter_once(
        "mark", by_did([Entry("aa", timed(n, DAY * n)) for n in range(4)]), 60
    )
    assert len(history.read(["aa"])[0]) == 4


def test_numbers_that_just_came_do_not_enter_again_whoever_judged_them(redis: Redis) -> None:
    history = History(redis, 50, 180)
    again = Pattern(1_700_009_999, pattern(1).features, 7)
    history.append([Entry("aa", pattern(1)), Entry("bb", again), Entry("aa", again)])
    history.enter_once("mark", by_did([Entry("aa", pattern(2)), Entry("aa", again)]), 60)
    assert history.read(["aa", "bb"]) == [[pattern(2), pattern(1)], [again]]
    history.append([Entry("cc", rich(1)), Entry("cc", pattern(1))])
    assert len(history.read(["cc"])[0]) == 2


def test_everyone_is_visited_once_whatever_else_lies_in_the_server(redis: Redis) -> None:
    history = History(redis, 50, 180)
    history.append([Entry(f"{n:04x}", pattern(n)) for n in range(1200)])
    redis.set("something:else", "1")
    redis.set(history_key("spoilt"), "no list")
    seen = {did_hash: found for did_hash, found in history.everyone() if found}
    assert seen == {f"{n:04x}": [pattern(n)] for n in range(1200)}


def test_a_server_that_is_gone_is_reported_and_not_taken_for_an_empty_history() -> None:
    history = History(dead_redis(), 50, 180)
    with pytest.raises(HistoryUnavailableError):
        history.read(["aa"])
    with pytest.raises(HistoryUnavailableError):
        history.append([Entry("aa", pattern(1))])
    with pytest.raises(HistoryUnavailableError):
        list(history.everyone())


def test_nobody_asked_for_costs_no_round_trip() -> None:
    history = History(dead_redis(), 50, 180)
    assert history.read([]) == []
    assert history.records_of(history.ask([])) == []


def test_a_founding_pattern_enters_only_where_there_is_no_history_yet(redis: Redis) -> None:
    history = History(redis, 50, 180)
    history.append([Entry("aa", pattern(1), founding=True), Entry("aa", pattern(2), founding=True)])
    history.append([Entry("aa", pattern(3))])
    assert history.read(["aa"]) == [[pattern(3), pattern(1)]]


QUESTION, OTHER_QUESTION = "01" * 8, "02" * 8


def asked(name: str, n: int, question: str = QUESTION, *, founding: bool = False) -> Entry:
    return Entry(name, pattern(n), founding, question)


def test_a_question_enters_once_for_each_did_and_is_forgotten_after_an_hour(redis: Redis) -> None:
    history = History(redis, 50, 180)
    for n in (0, 5):
        history.append([asked("aa", n), asked("bb", n)])
    assert history.read(["aa", "bb"]) == [[pattern(0)], [pattern(0)]]
    assert REPEAT_SECONDS - 60 < redis.ttl(asked_key("aa", QUESTION)) <= REPEAT_SECONDS
    redis.delete(asked_key("aa", QUESTION))
    history.append([asked("aa", 9), asked("bb", 9)])
    assert history.read(["aa", "bb"]) == [[pattern(9), pattern(0)], [pattern(0)]]


def test_two_questions_of_one_message_enter_both_and_a_repeated_one_once(redis: Redis) -> None:
    history = History(redis, 50, 180)
    history.append([asked("aa", 0), asked("aa", 1, OTHER_QUESTION), asked("aa", 2)])
    assert history.read(["aa"]) == [[pattern(1), pattern(0)]]


def test_a_question_that_came_too_late_to_found_a_history_has_entered_nothing(
    redis: Redis,
) -> None:
    history = History(redis, 50, 180)
    history.append([Entry("aa", pattern(1), founding=True), asked("aa", 2, founding=True)])
    assert history.read(["aa"]) == [[pattern(1)]]
    assert history.entered([("aa", QUESTION)]) == [None]


def test_what_a_question_entered_is_told_and_nothing_for_one_that_entered_nothing(
    redis: Redis,
) -> None:
    history = History(redis, 50, 180)
    history.append([asked("aa", 3), Entry("aa", pattern(4))])
    questions = [("aa", QUESTION), ("aa", OTHER_QUESTION), ("bb", QUESTION)]
    assert history.entered(questions) == [pattern(3).pack(), None, None]
    assert history.entered([]) == []


def test_what_was_asked_is_no_history_of_anybody(redis: Redis) -> None:
    history = History(redis, 50, 180)
    history.append([asked("aa", 3)])
    assert list(history.everyone()) == [("aa", [pattern(3)])]


def test_a_few_more_are_kept_for_who_needs_the_past_before_the_newest(redis: Redis) -> None:
    history = History(redis, 3, 180)
    for n in range(40):
        history.append([Entry("aa", pattern(n))])
    assert len(history.read(["aa"])[0]) == 3
    assert history.read(["aa"], spare=SPARE) == [[pattern(39 - k) for k in range(3 + SPARE)]]


def test_a_server_that_is_gone_is_not_taken_for_a_question_that_entered_nothing() -> None:
    with pytest.raises(HistoryUnavailableError):
        History(dead_redis(), 50, 180).entered([("aa", QUESTION)])


def test_a_job_keeps_the_same_few_more_and_a_spoilt_key_costs_nobody_else_an_entry(
    redis: Redis,
) -> None:
    history = History(redis, 3, 180)
    redis.set(history_key("spoilt"), "no list")
    entries = [Entry("spoilt", pattern(0)), *(Entry("aa", pattern(n)) for n in range(40))]
    assert history.enter_once("mark", by_did(entries), 60)
    assert history.read(["aa"], spare=SPARE) == [[pattern(39 - k) for k in range(3 + SPARE)]]
    assert redis.get(history_key("spoilt")) == b"no list"


NOTHING_READABLE = [
    b"no record",
    b"\x03" + bytes(21),
    b"\x01" + bytes(113),
    Pattern(5, (60.0, float("nan"), 80.0, 2.5)).pack(),
    Pattern(5, (60.0, 100.0, 80.0, float("-inf"))).pack(),
]


@pytest.mark.parametrize("by_a_job", [False, True])
@pytest.mark.parametrize("found", [*([each] * 9 for each in NOTHING_READABLE), NOTHING_READABLE])
def test_a_history_of_nothing_readable_is_founded_over_once(
    redis: Redis, found: list[bytes], by_a_job: bool
) -> None:
    history = History(redis, 50, 180, quota=10)
    redis.rpush(history_key("aa"), *found)
    assert history.read(["aa"]) == [[]]
    entries = [Entry("aa", pattern(1), founding=True), Entry("aa", pattern(2), founding=True)]
    if by_a_job:
        assert history.enter_once("mark", by_did(entries), 60)
    else:
        assert history.append(entries) == 1
    assert history.read(["aa"]) == [[pattern(1)]]


@pytest.mark.parametrize("by_a_job", [False, True])
def test_what_is_no_list_makes_room_for_a_founding_pattern_and_for_no_other(
    redis: Redis, by_a_job: bool
) -> None:
    history = History(redis, 50, 180)
    redis.set(history_key("aa"), "no list")
    if by_a_job:
        assert history.enter_once("one", by_did([Entry("aa", pattern(0))]), 60)
        assert history.enter_once("two", by_did([Entry("aa", pattern(1), founding=True)]), 60)
    else:
        with pytest.raises(HistoryUnavailableError):
            history.append([Entry("aa", pattern(0))])
        assert history.append([Entry("aa", pattern(1), founding=True)]) == 1
    assert history.read(["aa"]) == [[pattern(1)]]
