"""The scoring core with the shipped model and a real server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from ml.registry import load
from ml.scorer import Scorer
from tests.worker.batches import window
from tests.worker.dead_server import dead_redis
from tests.worker.outcomes import answers_of
from worker.contract import MAX_ROWS_PER_MESSAGE, ErrorCode, history_key
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History
from worker.provenance import history_digest
from worker.records import Pattern, decode
from worker.scoring import ScoringCore

RULE = EnrolmentRule(75, 0.99)
NOW = 1_790_000_000.0
SLOW = [30.0, 160.0, 240.0, 6.0, 9]
FAST = [90.0, 80.0, 53.0, 1.0, 14]
MODEL = Path(__file__).resolve().parents[2] / "models" / "production" / "model.pth"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load(MODEL)


@pytest.fixture
def history(redis_url: str) -> Iterator[History]:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        yield History(redis, 50, 180)


def core(scorer: Scorer, history: History) -> ScoringCore:
    return ScoringCore(lambda: HeldModel(scorer, 66, 0), history, RULE, clock=lambda: NOW)


def message(*rows: list[Any], **changes: float) -> dict[str, Any]:
    return {"v": 1, "sent": NOW - 0.25, "deadline": NOW + 0.5, "rows": list(rows)} | changes


def row(name: str | None, features: list[float], brought: list[Any] | None = None) -> list[Any]:
    return [name, features, brought, None]


def past(features: list[float], n: int) -> list[Pattern]:
    wpm, hold, transition, errors, hour = features
    return [
        Pattern(
            int(NOW) - 3600 * k, (wpm + apart(k), hold - apart(k), transition, errors), int(hour)
        )
        for k in range(n)
    ]


def apart(k: int) -> float:
    """Numbers around 0 that lead nowhere as k grows, and are never the same twice."""
    return (0.5 + k / 16) * (-1.0 if k % 2 else 1.0)


def test_each_row_is_compared_with_its_own_dids_history(scorer: Scorer, history: History) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    history.append([Entry("bb", found) for found in past(FAST, 12)])
    rows = [row("aa", SLOW), row("aa", FAST), row("bb", SLOW), row("bb", FAST), row("cc", FAST)]
    answers = answers_of(core(scorer, history).answer(message(*rows)))
    own, other, lent, true, cold = (answer["confidence_score"] for answer in answers)
    assert own > 70
    assert true > 70
    assert other < 20
    assert lent < 20
    assert 45 <= cold <= 55
    assert [answer["history_used"] for answer in answers] == [10, 10, 12, 12, 0]


def test_what_the_server_recorded_outranks_what_the_caller_brings(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    forged = [[NOW - 60 * k, *FAST[:4]] for k in range(1, 50)]
    answers = core(scorer, history).answer(
        message(row("aa", FAST, forged), row("new", FAST, forged), row(None, FAST, forged))
    )
    victim, new, nameless = answers_of(answers)
    assert (victim["history_source"], victim["history_used"]) == ("server", 10)
    assert victim["confidence_score"] < 20
    assert (new["history_source"], new["history_used"]) == ("caller", 49)
    assert nameless["history_source"] == "caller"
    assert nameless["recorded"] is False


def test_only_admitted_patterns_are_written_with_the_time_they_came(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    outcome = core(scorer, history).answer(message(row("aa", SLOW), row("aa", FAST)))
    assert outcome.entries == [Entry("aa", Pattern(int(NOW), (30.0, 160.0, 240.0, 6.0), 9))]
    assert [answer["recorded"] for answer in answers_of(outcome)] == [True, False]


def test_the_reply_is_json_and_says_how_long_the_message_waited(
    scorer: Scorer, history: History
) -> None:
    reply = core(scorer, history).answer(message(row("aa", SLOW))).plain()
    assert json.loads(json.dumps(reply)) == reply
    assert reply["queue_seconds"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"v": 2}, ErrorCode.UNSUPPORTED_MESSAGE),
        ({"deadline": NOW - 0.001}, ErrorCode.DEADLINE_EXCEEDED),
    ],
)
def test_what_should_not_be_computed_is_answered_without_reading_a_history(
    scorer: Scorer, changes: dict[str, float], code: ErrorCode
) -> None:
    blind = core(scorer, History(dead_redis(), 50, 180))
    outcome = blind.answer(message(row("aa", SLOW), row("bb", FAST), **changes))
    assert answers_of(outcome) == [{"error": code}] * 2
    assert outcome.entries == []


def test_a_history_that_cannot_be_read_is_an_error_and_no_score(scorer: Scorer) -> None:
    outcome = core(scorer, History(dead_redis(), 50, 180)).answer(message(row("aa", SLOW)))
    assert answers_of(outcome) == [{"error": ErrorCode.HISTORY_UNAVAILABLE}]


def test_the_histories_are_on_their_way_while_the_sessions_are_looked_at(
    scorer: Scorer, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    def note(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def noted(*given: Any) -> Any:
            order.append(name)
            return real(*given)

        monkeypatch.setattr(owner, name, noted)

    note(history, "ask")
    note(scorer, "alone")
    note(history, "records_of")
    answer = core(scorer, history).answer(message(row("aa", FAST)))
    assert order == ["ask", "alone", "records_of"]
    assert answers_of(answer)[0]["history_source"] == "none"


def test_an_empty_message_has_an_empty_reply(scorer: Scorer, history: History) -> None:
    assert answers_of(core(scorer, history).answer(message())) == []


def test_of_many_patterns_of_a_new_did_in_one_message_only_one_founds_its_history(
    scorer: Scorer, history: History
) -> None:
    rows = [row("new", [60.0 + n, 100.0, 100.0, 2.0, 9]) for n in range(20)]
    outcome = core(scorer, history).answer(message(*rows, row("other", FAST)))
    assert [entry.did_hash for entry in outcome.entries] == ["new", "other"]
    assert all(entry.founding for entry in outcome.entries)
    assert [answer["recorded"] for answer in answers_of(outcome)] == [True] + [False] * 19 + [True]


def test_more_rows_than_a_message_has_are_no_message(scorer: Scorer, history: History) -> None:
    rows = [row("aa", SLOW)] * (MAX_ROWS_PER_MESSAGE + 1)
    with pytest.raises(ValueError, match="at most 256 rows"):
        core(scorer, history).answer(message(*rows))


def test_a_did_whose_history_is_no_list_is_scored_without_one_and_harms_nobody(
    scorer: Scorer, history: History, redis_url: str
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    with Redis.from_url(redis_url) as redis:
        redis.set(history_key("bb"), "zz")
    spoilt, innocent = answers_of(
        core(scorer, history).answer(message(row("bb", SLOW), row("aa", SLOW)))
    )
    assert spoilt["history_used"] == 0
    assert innocent["history_used"] == 10


def asked(name: str, features: list[float], required: int = 0) -> list[Any]:
    return [*row(name, features), ["0123456789abcdef", required]]


def test_a_question_of_the_chain_scores_the_same_after_it_entered_the_history(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 51)[1:]])
    scoring = core(scorer, history)
    first = scoring.answer(message(asked("aa", SLOW)))
    assert answers_of(first)[0]["recorded"] is True
    history.append(first.entries)
    history.append([Entry("aa", Pattern(int(NOW), (31.0, 150.0, 230.0, 5.0), 9))])
    again = scoring.answer(message(asked("aa", SLOW)))
    assert answers_of(again) == [
        answers_of(first)[0] | {"inference_time_ms": again.worded.inference_ms}
    ]
    history.append(again.entries)
    assert len(history.read(["aa"], spare=8)[0]) == 52


def test_a_question_that_founded_a_history_founds_it_once_and_scores_fifty_again(
    scorer: Scorer, history: History
) -> None:
    scoring = core(scorer, history)
    for _ in range(3):
        outcome = scoring.answer(message(asked("aa", SLOW)))
        assert answers_of(outcome)[0]["history_used"] == 0
        history.append(outcome.entries)
    assert len(history.read(["aa"])[0]) == 1


def test_an_answer_to_the_chain_names_the_models_file_and_the_history_it_saw(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 4)])
    (entry,) = answers_of(core(scorer, history).answer(message(asked("aa", SLOW))))
    seen = decode(history.records(["aa"]))[0][0]
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert entry["provenance"] == {"model": digest, "history": history_digest(seen)}


def test_a_did_without_the_required_history_is_refused_and_not_recorded(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 4)])
    outcome = core(scorer, history).answer(
        message(asked("aa", SLOW, 5), asked("aa", SLOW, 4), row("bb", SLOW))
    )
    refused, scored, plain = answers_of(outcome)
    assert refused == {"error": ErrorCode.HISTORY_REQUIRED}
    assert scored["history_used"] == 4
    assert plain["history_used"] == 0
    assert [entry.did_hash for entry in outcome.entries] == ["aa", "bb"]


def rich(name: str, seed: int, *chain: Any) -> list[Any]:
    wpm, hold, transition, errors, hour = SLOW
    numbers = [wpm + apart(seed), hold + apart(seed), transition, errors, hour]
    return [name, numbers, None, [window(seed, 0.8)], *chain]


def test_a_rich_session_enters_with_its_statistics_and_is_compared_with_them(
    scorer: Scorer, history: History
) -> None:
    scoring = core(scorer, history)
    first = scoring.answer(message(rich("aa", 1)))
    assert answers_of(first)[0]["reasons"] == ["NO_HISTORY"]
    history.append(first.entries)
    second = scoring.answer(message(rich("aa", 2), row("aa", [*rich("aa", 2)[1]])))
    with_windows, without = answers_of(second)
    assert with_windows["reasons"] == ["SHORT_HISTORY"]
    assert with_windows["history_used"] == without["history_used"] == 1
    (kept,) = history.read(["aa"])[0]
    assert len(kept.extra) == 92


def test_a_recorded_session_sent_again_is_refused_and_not_recorded(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    stolen = [*past(SLOW, 10)[3].features, 9]
    nearly = [stolen[0], stolen[1] + 0.9, *stolen[2:]]
    outcome = core(scorer, history).answer(message(row("aa", stolen), row("aa", nearly)))
    for answer in answers_of(outcome):
        assert "REPLAY_SUSPECTED" in answer["reasons"]
        assert answer["confidence_score"] <= 10
        assert (answer["decision"], answer["recorded"]) == ("reject", False)
    assert outcome.entries == []


def test_a_pattern_that_stands_twice_in_a_message_enters_once(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    outcome = core(scorer, history).answer(message(row("aa", SLOW), row("aa", SLOW)))
    assert [answer["recorded"] for answer in answers_of(outcome)] == [True, False]
    assert len(outcome.entries) == 1


def test_a_question_that_nodes_repeat_is_no_replay_and_another_door_to_the_same_is_one(
    scorer: Scorer, history: History
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    scoring = core(scorer, history)
    first = scoring.answer(message(asked("aa", SLOW)))
    history.append(first.entries)
    again, plain = answers_of(scoring.answer(message(asked("aa", SLOW), row("aa", SLOW))))
    assert again["confidence_score"] == answers_of(first)[0]["confidence_score"]
    assert again["provenance"] == answers_of(first)[0]["provenance"]
    assert "REPLAY_SUSPECTED" not in again["reasons"]
    assert "REPLAY_SUSPECTED" in plain["reasons"]


def test_a_copy_is_a_copy_at_the_chains_door(scorer: Scorer, history: History) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    history.append([Entry("aa", Pattern(int(NOW) - 9, (30.0, 160.0, 240.0, 6.0), 9))])
    (answer,) = answers_of(core(scorer, history).answer(message(asked("aa", SLOW))))
    assert answer["confidence_score"] <= 10


def test_the_chains_score_does_not_depend_on_when_the_history_was_recorded(
    scorer: Scorer, history: History
) -> None:
    for name, age in (("aa", 0), ("bb", 90 * 86_400)):
        for found in past(SLOW, 10):
            aged = Pattern(found.unix_seconds - age, found.features, found.hour)
            history.append([Entry(name, aged)])
    near, far = answers_of(
        core(scorer, history).answer(message(asked("aa", SLOW), asked("bb", SLOW)))
    )
    assert near["confidence_score"] == far["confidence_score"]
    assert near["provenance"] == far["provenance"]


@pytest.mark.parametrize("name", ["convenient", "balanced", "secure"])
def test_a_decision_is_made_at_the_operating_point_that_is_set(
    scorer: Scorer, history: History, name: str
) -> None:
    history.append([Entry("aa", found) for found in past(SLOW, 10)])
    held = HeldModel(scorer, 66, 0)
    scoring = ScoringCore(lambda: held, history, RULE, lambda: NOW, point=name)
    (answer,) = answers_of(scoring.answer(message(row("aa", SLOW))))
    accepted = answer["confidence_score"] >= scorer.model.operating_points[name].threshold
    assert (answer["decision"] == "accept") == accepted


def test_a_full_day_of_patterns_is_told_and_not_written(scorer: Scorer, redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        history = History(redis, 50, 180, quota=4)
        for k, found in enumerate(reversed(past(SLOW, 4))):
            history.append([Entry("aa", Pattern(int(NOW) - 60 * (9 - k), found.features, 9))])
        outcome = core(scorer, history).answer(message(row("aa", SLOW)))
        assert outcome.entries == []
        assert "UPDATE_WITHHELD" in answers_of(outcome)[0]["reasons"]
        assert answers_of(outcome)[0]["confidence_score"] > 60
