"""The tasks of the bulk queue: one chunk by its name, and the sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery
from redis.exceptions import RedisError

from worker.contract import BULK_QUEUE, BULK_TASK, SWEEP_TASK
from worker.jobs.behind import Behind
from worker.jobs.ended import Ended


def send_chunk(app: Celery, job_id: str, chunk: int) -> None:
    """Put a chunk's name on the bulk queue. Raises kombu's OperationalError."""
    message = {"job": job_id, "chunk": chunk}
    app.send_task(BULK_TASK, args=[message], queue=BULK_QUEUE, ignore_result=True)


def register(
    app: Celery,
    begin: Callable[[str, int], Callable[[], Ended]],
    behind: Behind,
    sweep: Callable[[], int],
    observe: Callable[[Ended], None],
) -> None:
    """Give `app` the two tasks. The ledger is the truth, so that neither keeps a result nor is acknowledged late.

    A chunk's end runs behind the beginning of the next.
    """

    @app.task(name=BULK_TASK, ignore_result=True)  # type: ignore[untyped-decorator]  # Celery is untyped
    def bulk(message: dict[str, Any]) -> None:
        job_id = message["job"]
        finish = begin(job_id, message["chunk"])

        def end() -> None:
            ended = finish()
            observe(ended)
            if ended.send is not None:
                send_chunk(app, job_id, ended.send)

        behind.run(end)

    @app.task(name=SWEEP_TASK, ignore_result=True)  # type: ignore[untyped-decorator]
    def sweep_jobs() -> None:
        try:
            sweep()
        except (RedisError, OSError) as error:
            structlog.get_logger().warning("sweep_failed", error=repr(error))

    structlog.get_logger().debug("tasks_registered", tasks=[bulk.name, sweep_jobs.name])
