"""The task of the training queue."""

from __future__ import annotations

import structlog
from celery import Celery

from worker.contract import RETRAIN_TASK
from worker.settings import WorkerSettings

RESULT_SECONDS = 7 * 24 * 60 * 60  # until the next weekly run


def register(app: Celery, settings: WorkerSettings, device: str) -> None:
    """Give `app` the retraining task, which ends by `retrain_seconds`."""

    @app.task(  # type: ignore[untyped-decorator]  # Celery is untyped
        name=RETRAIN_TASK,
        acks_late=True,
        time_limit=settings.retrain_seconds + 60,
        soft_time_limit=settings.retrain_seconds,
    )
    def retrain() -> dict[str, object]:
        from worker.retraining import Retraining  # noqa: PLC0415  # torch, in the child only

        return Retraining.of(settings, device).run()

    structlog.get_logger().debug("tasks_registered", tasks=[retrain.name])
