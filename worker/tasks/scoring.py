"""The tasks of the online queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, Task

from worker.contract import PROBE_TASK, SCORE_TASK, ProbeAnswer
from worker.outcome import Outcome
from worker.turn import Turn


def register(app: Celery, turn: Turn, probe: Callable[[], ProbeAnswer]) -> None:
    """Give `app` the scoring task and the probe."""

    class Scoring(Task):  # type: ignore[misc]  # Celery is untyped
        """Keeps an outcome from the answer until Celery has published it; the solo pool runs one task at a time."""

        outcome: Outcome | None = None
        resultrepr_maxsize = 8  # scores are nobody's business in Flower, and printing takes time

        def after_return(self, *_: object) -> None:
            outcome, self.outcome = self.outcome, None
            if outcome is not None:
                turn.write(outcome)
                turn.finish(outcome)

    @app.task(name=SCORE_TASK, base=Scoring, bind=True, shared=False)  # type: ignore[untyped-decorator]
    def score(self: Scoring, message: dict[str, Any]) -> dict[str, Any]:
        self.outcome = turn.answer(message)
        return self.outcome.plain()

    @app.task(name=PROBE_TASK, shared=False)  # type: ignore[untyped-decorator]
    def answer_probe() -> ProbeAnswer:
        return probe()

    structlog.get_logger().debug("tasks_registered", tasks=[score.name, answer_probe.name])
