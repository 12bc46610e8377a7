"""What beat sends, with RedBeat's scheduler on a real server."""

from __future__ import annotations

from redbeat import RedBeatScheduler
from redis import Redis

from worker.beat import create_beat
from worker.contract import RETRAIN_TASK, TRAINING_QUEUE
from worker.settings import WorkerSettings


def settings(redis_url: str) -> WorkerSettings:
    return WorkerSettings(_env_file=None, redis_url=redis_url)


def test_the_schedule_holds_the_retraining_and_nothing_that_nobody_reads(redis_url: str) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        redis.flushdb()
        scheduler = RedBeatScheduler(create_beat(settings(redis_url)))
        assert scheduler.app.conf.beat_schedule.keys() == {"retrain"}
        assert redis.zrange("biometrics:beat::schedule", 0, -1) == ["biometrics:beat:retrain"]


def test_the_retraining_goes_to_the_queue_of_its_workers_at_the_set_time(redis_url: str) -> None:
    scheduler = RedBeatScheduler(create_beat(settings(redis_url)))
    entry = RedBeatScheduler.Entry.from_key("biometrics:beat:retrain", app=scheduler.app)
    assert (entry.task, entry.options["queue"]) == (RETRAIN_TASK, TRAINING_QUEUE)
    assert (entry.schedule.minute, entry.schedule.hour) == ({0}, {3})
    assert entry.schedule.day_of_week == {0}
