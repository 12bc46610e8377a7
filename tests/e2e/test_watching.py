"""What whoever watches a worker sees of it, though its messages pass most of Celery by."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from celery import Celery

from tests.e2e.load import post_all
from tests.e2e.service import RunningService, pattern
from worker.contract import SCORE_TASK

pytestmark = pytest.mark.e2e
STAGES = ("task-received", "task-started", "task-succeeded")
POSTS = 40


class Watcher:
    """Hears Celery's events of a service, as Flower does."""

    def __init__(self, app: Celery) -> None:
        self.events: list[dict[str, Any]] = []
        self._app = app
        self._receiver: Any = None

    def __enter__(self) -> Watcher:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._receiver.should_stop = True
        self._thread.join()

    def by_kind(self) -> Counter[str]:
        return Counter(str(event["type"]) for event in self.events)

    def scored(self) -> dict[str, dict[str, Any]]:
        """By their ids, the scoring messages that were received; a front end's probes are none."""
        received = [event for event in self.events if event["type"] == "task-received"]
        return {event["uuid"]: event for event in received if event["name"] == SCORE_TASK}

    def heard_all(self) -> bool:
        """Whether scoring messages were heard of, and each of them once at each stage."""
        scored = self.scored()
        stages = Counter((e["type"], e["uuid"]) for e in self.events if e.get("uuid") in scored)
        return bool(scored) and stages == Counter(
            (stage, each) for stage in STAGES for each in scored
        )

    def _listen(self) -> None:
        with self._app.connection() as connection:
            handlers = {"*": self.events.append}
            self._receiver = self._app.events.Receiver(connection, handlers=handlers)
            self._receiver.capture(limit=None, timeout=None)


def test_every_message_is_told_as_three_events_that_hide_the_pattern(
    service: RunningService,
) -> None:
    app = Celery(broker=service.redis_url, set_as_current=False)
    with Watcher(app) as watcher:
        service.wait_for(lambda: watcher.by_kind().total() > 0, "a heartbeat is heard")
        bodies = [pattern(f"did:watched:{n}") for n in range(POSTS)]
        answers = post_all(service.url("/predict"), bodies, 4)
        assert {answer.status_code for answer in answers} == {200}
        service.wait_for(watcher.heard_all, "each message is heard of at all stages")
    assert {event["args"] for event in watcher.scored().values()} == {"(pattern)"}
    told = [str(event) for event in watcher.events]
    assert not any("did:watched" in each or "confidence" in each for each in told)


def test_a_worker_answers_remote_control_and_counts_its_tasks(service: RunningService) -> None:
    app = Celery(broker=service.redis_url, set_as_current=False)
    inspect = app.control.inspect(timeout=2)  # of all workers, whichever answers first
    before = tasks(inspect.stats())
    assert service.post("/predict", pattern("did:watched:one"))[0] == 200
    assert tasks(inspect.stats()) > before
    assert next(iter(inspect.ping().values())) == {"ok": "pong"}


def tasks(stats: dict[str, Any]) -> int:
    return sum(int(worker["total"].get(SCORE_TASK, 0)) for worker in stats.values())
