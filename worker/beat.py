"""Beat: sends the scheduled tasks. RedBeat's lock in Redis lets one instance work and the others wait."""

from __future__ import annotations

import time

import structlog
from celery import Celery
from celery.schedules import crontab
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from worker.celery_app import create_celery
from worker.contract import RETRAIN_TASK, SWEEP_QUEUE, SWEEP_TASK, TRAINING_QUEUE
from worker.settings import WorkerSettings

LOOP_SECONDS = 3
LOCK_SECONDS = (
    5 * LOOP_SECONDS
)  # so long after a kill -9 nobody sends; RedBeat's default is 25 minutes
TASK_LIFETIME_SECONDS = 24 * 60 * 60  # a run that no worker took in a day is stale
RESTART_SECONDS = 1.0


def run(settings: WorkerSettings) -> None:
    """Send the schedule until told to stop, through any outage of Redis, which ends RedBeat itself."""
    arguments = ["beat", "--scheduler", "redbeat.RedBeatScheduler"]
    while True:
        try:
            create_beat(settings).start([*arguments, "--loglevel", settings.log_level])
            return
        except (RedisError, OperationalError, OSError) as error:
            structlog.get_logger().warning("beat_begins_again", error=repr(error))
            time.sleep(RESTART_SECONDS)


def create_beat(settings: WorkerSettings) -> Celery:
    """The application whose schedule holds the retraining and the sweep of bulk jobs, and nothing else."""
    app = create_celery(settings.broker_url)
    app.conf.update(
        result_expires=None,  # else Celery schedules a clean-up of results on a queue that nobody reads
        redbeat_redis_url=settings.result_url,
        redbeat_redis_options={"socket_timeout": 10, "socket_connect_timeout": 5},
        redbeat_key_prefix="biometrics:beat:",
        redbeat_lock_timeout=LOCK_SECONDS,
        beat_max_loop_interval=LOOP_SECONDS,
        beat_schedule={
            "retrain": {
                "task": RETRAIN_TASK,
                "schedule": crontab.from_string(settings.retrain_schedule),
                "options": {"queue": TRAINING_QUEUE, "expires": TASK_LIFETIME_SECONDS},
            },
            "sweep": {
                "task": SWEEP_TASK,
                "schedule": settings.job_sweep_seconds,
                # A sweep that found no worker before the next one is due is superfluous.
                "options": {"queue": SWEEP_QUEUE, "expires": settings.job_sweep_seconds},
            },
        },
    )
    return app
