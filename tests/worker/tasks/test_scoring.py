"""The scoring task around a message's turn, as Celery runs what does not take the short way."""

from __future__ import annotations

from typing import Any, cast

from celery import Celery

from tests.worker.outcomes import outcome
from worker.contract import PROBE_TASK, SCORE_TASK
from worker.outcome import Outcome
from worker.tasks.scoring import register
from worker.turn import Turn


class Bench:
    """A turn that keeps what it finished."""

    def __init__(self) -> None:
        self.written: list[Outcome] = []
        self.finished: list[Outcome] = []
        self.app = Celery("test", set_as_current=False)
        register(self.app, cast(Turn, self), lambda: {"model_version": "1.0.0", "device": "cpu"})

    def answer(self, message: dict[str, Any]) -> Outcome:
        if not message:
            raise KeyError("rows")
        return outcome(80)

    def write(self, found: Outcome) -> None:
        self.written.append(found)

    def finish(self, found: Outcome) -> None:
        self.finished.append(found)

    def ask(self, message: dict[str, Any]) -> Any:
        return self.app.tasks[SCORE_TASK].apply(args=[message])


def test_an_answer_is_finished_once_and_a_failure_is_not() -> None:
    bench = Bench()
    reply = bench.ask({"v": 1}).result
    assert [found.plain() for found in bench.finished] == [reply]
    assert bench.ask({}).state == "FAILURE"
    assert bench.written == bench.finished
    assert len(bench.finished) == 1


def test_the_probe_tells_what_the_worker_holds() -> None:
    told = Bench().app.tasks[PROBE_TASK].apply().result
    assert told == {"model_version": "1.0.0", "device": "cpu"}
