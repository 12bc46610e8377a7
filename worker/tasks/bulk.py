"""The tasks of the bulk queue: one chunk by its name, and the sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery
from redis.exceptions import RedisError

from worker.contract import BULK_QUEUE, BULK_TASK, SWEEP_TASK
from worker.jobs.ended import Ended


def send_chunk(app: Celery, job_id: str, chunk: int) -> None:
    """Put a chunk's name on the bulk queue. Raises kombu's OperationalError."""
    message = {"job": job_id, "chunk": chunk}
    app.send_task(BULK_TASK, args=[message], queue=BULK_QUEUE, ignore_result=True)


def register(
    app: Celery,
    work_off: Callable[[str, int], Ended],
    sweep: Callable[[], int],
    observe: Callable[[Ended], None],
) -> None:
    """Give `app` the two tasks. The ledger is the truth, so that neither keeps a result nor is acknowledged late."""

    @app.task(name=BULK_TASK, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery is untyped
    def bulk(message: dict[str, Any]) -> None:
        ended = work_off(message["job"], message["chunk"])
        observe(ended)
        if ended.send is not None:
            send_chunk(app, message["job"], ended.send)

    @app.task(name=SWEEP_TASK, ignore_result=True)  # type: ignore[untyped-decorator]
    def sweep_jobs() -> None:
        try:
            sweep()
        except (RedisError, OSError) as error:
            structlog.get_logger().warning("sweep_failed", error=repr(error))

    structlog.get_logger().debug("tasks_registered", tasks=[bulk.name, sweep_jobs.name])
