"""The scoring task around its core: what a reply tells of the work, and what runs when it has left."""

from __future__ import annotations

from typing import Any, cast

from celery import Celery

from tests.worker.outcomes import outcome
from worker.contract import PROBE_TASK, SCORE_TASK
from worker.outcome import Outcome
from worker.scoring import ScoringCore
from worker.tasks.scoring import register


class Bench:
    """A core that takes 3 s for a message and an aftermath that takes 5, by a clock of their own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.after: list[Outcome] = []
        self.app = Celery("test", set_as_current=False)
        register(
            self.app,
            cast(ScoringCore, self),
            self.aftermath,
            lambda: {"model_version": "1.0.0", "device": "cpu"},
            monotonic=lambda: self.now,
        )

    def answer(self, message: dict[str, Any]) -> Outcome:
        if not message:
            raise KeyError("rows")
        self.now += 3
        return outcome(80)

    def aftermath(self, found: Outcome) -> None:
        self.now += 5
        self.after.append(found)

    def ask(self, message: dict[str, Any]) -> Any:
        return self.app.tasks[SCORE_TASK].apply(args=[message])


def test_a_reply_tells_its_own_work_and_what_followed_the_reply_before() -> None:
    bench = Bench()
    told = []
    for _ in range(3):
        told.append(bench.ask({"v": 1}).result["work_seconds"])
        bench.now += 60  # nobody asks
    assert told == [3.0, 8.0, 8.0]


def test_what_follows_an_answer_gets_its_outcome_once_and_a_failure_has_none() -> None:
    bench = Bench()
    reply = bench.ask({"v": 1}).result
    assert [found.reply for found in bench.after] == [reply]
    assert bench.ask({}).state == "FAILURE"
    assert len(bench.after) == 1


def test_the_probe_tells_what_the_worker_holds() -> None:
    told = Bench().app.tasks[PROBE_TASK].apply().result
    assert told == {"model_version": "1.0.0", "device": "cpu"}
