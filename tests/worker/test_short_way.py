"""Which messages take the short way, and that its answers are Celery's."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery import Celery
from celery.result import AsyncResult
from celery.worker import state
from redis import Redis

from api.envelope import EnvelopeFactory
from tests.worker.outcomes import answers_of, outcome
from worker.celery_app import create_celery
from worker.contract import ONLINE_QUEUE, PROBE_TASK, SCORE_TASK
from worker.outcome import Outcome
from worker.short_way import ShortWay, open_short_way, ordinary
from worker.turn import Turn

NOW = 1_800_000_000.0
MESSAGE = {
    "v": 1,
    "sent": NOW,
    "deadline": NOW + 1,
    "rows": [["aa", [65, 120, 85, 3, 14], None, None]],
}


def envelope(
    task: str = SCORE_TASK, task_id: str = "i.1", expires: float | None = NOW + 1
) -> bytes:
    factory = EnvelopeFactory(create_celery("memory://"), task, ONLINE_QUEUE, "i")
    return factory.build(task_id, MESSAGE, expires)


def changed(part: str | None = None, **values: Any) -> bytes:
    found = json.loads(envelope())
    (found if part is None else found[part]).update(values)
    return json.dumps(found).encode()


def body(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_the_front_ends_message_is_ordinary_until_it_expires() -> None:
    assert ordinary(envelope(), NOW) == {"id": "i.1", "message": MESSAGE}
    assert ordinary(envelope(), NOW + 1.01) is None
    assert ordinary(envelope(expires=None), NOW + 1e6) is not None


UNUSUAL = {
    "nothing": b"",
    "no JSON": b"garbage",
    "not UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "no headers": b"{}",
    "another task": envelope(PROBE_TASK),
    "an id that is none": changed("headers", id=None),
    "a time to begin": changed("headers", eta="2030-01-01T00:00:00+00:00"),
    "an expiry that is no time": changed("headers", expires="soon"),
    "an expiry without a zone that lies far beyond": changed("headers", expires="99999-01-01"),
    "a time limit": changed("headers", timelimit=[1, None]),
    "a second try": changed("headers", retries=1),
    "a part of a group": changed("headers", group="g"),
    "stamps": changed("headers", stamped_headers=["who"]),
    "nobody waits": changed("headers", ignore_result=True),
    "headers that are a list": changed(headers=[]),
    "another kind of content": changed(**{"content-type": "application/x-python-serialize"}),
    "another encoding": changed(**{"content-encoding": "utf-16"}),
    "a body as it is": changed("properties", body_encoding=None),
    "no properties": changed(properties={}),
    "a body that is no base64": changed(body="!!!!"),
    "a body that is a number": changed(body=5),
    "two arguments": changed(body=body([[MESSAGE, 1], {}, {}])),
    "named arguments": changed(body=body([[MESSAGE], {"a": 1}, {}])),
    "a callback": changed(body=body([[MESSAGE], {}, {"callbacks": [{"task": "other"}]}])),
    "an argument that is no message": changed(body=body([[5], {}, {}])),
    "a body that is no triple": changed(body=body({"a": 1})),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_whatever_is_unusual_goes_the_long_way(name: str) -> None:
    assert ordinary(UNUSUAL[name], NOW) is None


class Scorer:
    """A turn that keeps the order of what happened to it."""

    def __init__(self) -> None:
        self.fails: set[str] = set()
        self.order: list[str] = []
        self.finished: list[Outcome] = []

    def answer(self, message: dict[str, Any]) -> Outcome:
        if "answer" in self.fails:
            raise ValueError("no message")
        return outcome(80)

    def write(self, found: Outcome) -> None:
        self.order.append("write")

    def finish(self, found: Outcome) -> None:
        self.order.append("finish")
        self.finished.append(found)
        if "finish" in self.fails:
            raise ValueError("no aftermath")


class Bench:
    def __init__(self, redis: Redis, url: str) -> None:
        self.redis = redis
        self.scorer = Scorer()
        self.app: Celery = create_celery("memory://", url, ack_emulation=False)
        self.way = ShortWay(cast(Turn, self.scorer), self.app.backend)
        self.events: list[dict[str, Any]] = []
        self.way.tell = lambda kind, **fields: self.events.append({"type": kind, **fields})

    def result(self, task_id: str = "i.1") -> AsyncResult:
        return AsyncResult(task_id, app=self.app)

    def take(self, task_id: str = "i.1") -> bool:
        return self.way.take(envelope(task_id=task_id, expires=time.time() + 5))


@pytest.fixture
def bench(redis_url: str) -> Iterator[Bench]:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        yield Bench(redis, redis_url)
    state.revoked.clear()


def test_an_answer_is_stored_published_and_finished(bench: Bench) -> None:
    with bench.redis.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.psubscribe("celery-task-meta-i.*")
        assert pubsub.get_message(timeout=5)
        assert bench.take()
        published = pubsub.get_message(timeout=5)
    assert bench.result().get(timeout=5)["rows"] == answers_of(outcome(80))
    assert published is not None
    assert published["data"] == bench.redis.get("celery-task-meta-i.1")
    assert 0 < int(bench.redis.ttl("celery-task-meta-i.1")) <= 60
    assert len(bench.scorer.finished) == 1


def test_the_stored_answer_has_the_form_of_celerys_own(bench: Bench) -> None:
    bench.take("i.1")
    bench.app.backend.store_result("i.2", outcome(80).plain(), "SUCCESS")
    short, long = (
        json.loads(bench.redis.get(f"celery-task-meta-{name}") or b"") for name in ("i.1", "i.2")
    )
    assert short.keys() == long.keys()
    same = {"status", "result", "traceback"}
    assert {name: short[name] for name in same} == {name: long[name] for name in same}


def test_flower_hears_of_a_task_what_celery_tells(bench: Bench) -> None:
    before = state.total_count[SCORE_TASK]
    bench.take()
    assert [event["type"] for event in bench.events] == [
        "task-received",
        "task-started",
        "task-succeeded",
    ]
    assert {event["uuid"] for event in bench.events} == {"i.1"}
    assert bench.events[0]["args"] == "(pattern)"
    assert bench.events[2]["runtime"] >= 0
    assert state.total_count[SCORE_TASK] == before + 1


def test_without_listeners_nothing_is_told(bench: Bench) -> None:
    bench.way.tell = None
    assert bench.take()
    assert bench.events == []


def test_a_revoked_message_is_left_to_celery(bench: Bench) -> None:
    state.revoked.add("i.1")
    assert not bench.take("i.1")
    assert bench.take("i.2")


def test_a_message_that_cannot_be_scored_is_left_to_celery_and_nothing_is_published(
    bench: Bench,
) -> None:
    bench.scorer.fails.add("answer")
    assert not bench.take()
    assert bench.result().state == "PENDING"
    assert not bench.scorer.finished
    assert not bench.events


def test_an_aftermath_that_fails_spoils_neither_this_answer_nor_the_next(bench: Bench) -> None:
    bench.scorer.fails.add("finish")
    assert bench.take("i.1")
    assert bench.take("i.2")
    assert [bench.result(name).state for name in ("i.1", "i.2")] == ["SUCCESS", "SUCCESS"]


def test_the_next_message_is_asked_for_when_all_is_sent_and_before_this_one_is_counted(
    bench: Bench,
) -> None:
    bench.way.ask_next = lambda: bench.scorer.order.append("next")
    assert bench.take()
    assert bench.scorer.order == ["write", "next", "finish"]


@pytest.mark.parametrize("told", ["should_stop", "should_terminate"])
def test_a_worker_that_is_told_to_end_asks_for_no_other_message(
    bench: Bench, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, told, 0)
    bench.way.ask_next = lambda: bench.scorer.order.append("next")
    assert bench.take()
    assert bench.scorer.order == ["write", "finish"]
    assert bench.result().state == "SUCCESS"


def test_a_broken_connection_loses_no_answer(bench: Bench) -> None:
    assert bench.take("i.1")
    bench.redis.client_kill_filter(_type="normal", skipme=True)
    assert bench.take("i.2")
    assert bench.result("i.2").get(timeout=5)["rows"]


def test_a_message_that_comes_twice_is_answered_once(bench: Bench) -> None:
    assert bench.take()
    assert bench.take()
    assert len(bench.scorer.finished) == 1
    assert len(bench.events) == 3


def test_of_many_answered_messages_the_latest_are_remembered(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.short_way.REMEMBERED", 2)
    for name in ("i.1", "i.2", "i.3", "i.2", "i.1"):
        assert bench.take(name)
    assert len(bench.scorer.finished) == 4


def test_of_a_message_that_reached_two_workers_the_first_answer_stays_stored(bench: Bench) -> None:
    assert bench.take()
    bench.app.backend.send_off("i.1", outcome(10).text())
    bench.app.backend.confirm()
    assert bench.result().get(timeout=5)["rows"] == answers_of(outcome(80))


def test_a_server_without_memory_publishes_all_the_same(bench: Bench) -> None:
    with bench.redis.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.psubscribe("celery-task-meta-i.*")
        assert pubsub.get_message(timeout=5)
        bench.redis.config_set("maxmemory", 1)
        try:
            assert bench.take()
        finally:
            bench.redis.config_set("maxmemory", 0)
        published = pubsub.get_message(timeout=5)
    assert published is not None
    assert json.loads(published["data"])["task_id"] == "i.1"


def test_a_worker_asks_the_short_way_first_once_it_consumes(bench: Bench) -> None:
    open_short_way(bench.app, cast(Turn, bench.scorer))
    [step] = bench.app.steps["consumer"]
    asked: list[str] = []
    channel = SimpleNamespace(short_way=None, ask_next=lambda: asked.append("next"))
    told: list[str] = []
    consumer = SimpleNamespace(
        task_consumer=SimpleNamespace(channel=channel),
        event_dispatcher=SimpleNamespace(send=lambda kind, **_: told.append(kind)),
    )
    step(consumer).start(consumer)
    take = cast(Any, channel.short_way)
    assert take(envelope(expires=time.time() + 5))
    assert told[-1] == "task-succeeded"
    assert asked == ["next"]
