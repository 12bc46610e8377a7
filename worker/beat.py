"""Beat: sends the scheduled tasks. RedBeat's lock in Redis lets one instance work and the others wait."""

from __future__ import annotations

from celery import Celery
from celery.schedules import crontab

from worker.celery_app import create_celery
from worker.contract import RETRAIN_TASK, TRAINING_QUEUE
from worker.settings import WorkerSettings

LOOP_SECONDS = 10
LOCK_SECONDS = (
    5 * LOOP_SECONDS
)  # so long after a kill -9 nobody sends; RedBeat's default is 25 minutes
TASK_LIFETIME_SECONDS = 24 * 60 * 60  # a run that no worker took in a day is stale


def run(settings: WorkerSettings) -> None:
    """Send the schedule until told to stop."""
    app = create_beat(settings)
    app.start(["beat", "--scheduler", "redbeat.RedBeatScheduler", "--loglevel", settings.log_level])


def create_beat(settings: WorkerSettings) -> Celery:
    """The application whose schedule holds the retraining and nothing else."""
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
            }
        },
    )
    return app
