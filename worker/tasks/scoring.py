"""The tasks of the online queue."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, Task

from worker.contract import PROBE_TASK, SCORE_TASK, ProbeAnswer
from worker.outcome import Outcome
from worker.scoring import ScoringCore

Aftermath = Callable[[Outcome], None]


def register(
    app: Celery,
    core: ScoringCore,
    aftermath: Aftermath,
    probe: Callable[[], ProbeAnswer],
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Give `app` the scoring task and the probe. `aftermath` runs when the answer has left.

    A reply's `work_seconds` are those of its making and, since they cannot be known yet, the previous message's from
    its reply to the end of its aftermath.
    """

    class Scoring(Task):  # type: ignore[misc]  # Celery is untyped
        """Keeps an outcome from the answer until Celery has published it; the solo pool runs one task at a time."""

        outcome: Outcome | None = None
        replied = 0.0
        after_seconds = 0.0
        resultrepr_maxsize = 8  # scores are nobody's business in Flower, and printing takes time

        def after_return(self, *_: object) -> None:
            outcome, self.outcome = self.outcome, None
            if outcome is not None:
                aftermath(outcome)
                self.after_seconds = monotonic() - self.replied

    @app.task(name=SCORE_TASK, base=Scoring, bind=True)  # type: ignore[untyped-decorator]
    def score(self: Scoring, message: dict[str, Any]) -> dict[str, Any]:
        began = monotonic()
        self.outcome = core.answer(message)
        self.replied = monotonic()
        self.outcome.reply["work_seconds"] = self.replied - began + self.after_seconds
        return self.outcome.reply

    @app.task(name=PROBE_TASK)  # type: ignore[untyped-decorator]
    def answer_probe() -> ProbeAnswer:
        return probe()

    structlog.get_logger().debug("tasks_registered", tasks=[score.name, answer_probe.name])
