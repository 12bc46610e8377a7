"""What beat sends, with RedBeat's scheduler on a real server."""

from __future__ import annotations

from redbeat import RedBeatScheduler
from redis import Redis

from worker.beat import create_beat
from worker.contract import RETRAIN_TASK, SWEEP_QUEUE, SWEEP_TASK, TRAINING_QUEUE
from worker.settings import WorkerSettings


def settings(redis_url: str) -> WorkerSettings:
    return WorkerSettings(_env_file=None, redis_url=redis_url)


def test_the_schedule_holds_retraining_and_sweep_and_nothing_that_nobody_reads(
    redis_url: str,
) -> None:
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        redis.flushdb()
        scheduler = RedBeatScheduler(create_beat(settings(redis_url)))
        assert scheduler.app.conf.beat_schedule.keys() == {"retrain", "sweep"}
        scheduled = set(redis.zrange("biometrics:beat::schedule", 0, -1))
        assert scheduled == {"biometrics:beat:retrain", "biometrics:beat:sweep"}


def test_the_retraining_goes_to_the_queue_of_its_workers_at_the_set_time(redis_url: str) -> None:
    scheduler = RedBeatScheduler(create_beat(settings(redis_url)))
    entry = RedBeatScheduler.Entry.from_key("biometrics:beat:retrain", app=scheduler.app)
    assert (entry.task, entry.options["queue"]) == (RETRAIN_TASK, TRAINING_QUEUE)
    assert (entry.schedule.minute, entry.schedule.hour) == ({0}, {3})
    assert entry.schedule.day_of_week == {0}


def test_a_sweep_is_stale_when_the_next_one_is_due(redis_url: str) -> None:
    scheduler = RedBeatScheduler(create_beat(settings(redis_url)))
    entry = RedBeatScheduler.Entry.from_key("biometrics:beat:sweep", app=scheduler.app)
    assert (entry.task, entry.options["queue"]) == (SWEEP_TASK, SWEEP_QUEUE)
    assert entry.schedule.run_every.total_seconds() == entry.options["expires"] == 10
