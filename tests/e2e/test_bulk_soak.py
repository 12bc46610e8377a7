"""Bulk jobs for minutes under one fault after another; `make soak` runs it."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.e2e.bulk import BulkService, assert_nothing_lost_and_nothing_twice, patterns
from tests.e2e.service import Process, RunningService

pytestmark = [pytest.mark.soak, pytest.mark.e2e, pytest.mark.timeout(7200)]
SECONDS = float(os.environ.get("SOAK_SECONDS", "600"))
MANY, DIDS = 40_000, 4_000
PAUSE_SECONDS = (1.0, 4.0)


class Harm:
    """One service with two bulk workers, and what can be done to it."""

    def __init__(self, bulk: BulkService, rng: random.Random) -> None:
        self.bulk = bulk
        self.rng = rng
        self.workers = [bulk.worker(), bulk.worker()]
        self.done: Counter[str] = Counter()

    def some(self) -> None:
        """One fault by chance, and what mends it."""
        faults: list[Callable[[], None]] = [
            self.kill_worker,
            self.kill_worker,
            self.stop_worker,
            self.kill_redis,
            self.kill_beat,
            self.kill_api,
        ]
        fault = self.rng.choice(faults)
        fault()
        self.done[fault.__name__] += 1

    def kill_worker(self) -> None:
        place = self.rng.randrange(2)
        _kill(self.workers[place])
        self.workers[place] = self.bulk.worker()

    def stop_worker(self) -> None:
        worker = self.rng.choice(self.workers)
        worker.signal(signal.SIGSTOP)
        time.sleep(3.5)  # its lease is 2 s
        worker.signal(signal.SIGCONT)

    def kill_redis(self) -> None:
        _kill(self.bulk.redis)
        time.sleep(self.rng.uniform(0, 1))
        self.bulk.redis = self.bulk.service.redis()

    def kill_beat(self) -> None:
        _kill(self.bulk.beat)
        self.bulk.beat = self.bulk.service.worker("beat")

    def kill_api(self) -> None:
        _kill(self.bulk.api)
        self.bulk.api = self.bulk.service.api()


def _kill(process: Process) -> None:
    process.signal(signal.SIGKILL)
    process.wait()


def test_minutes_of_faults_lose_nothing_and_count_nothing_twice(
    own_service: RunningService,
) -> None:
    bulk = BulkService(own_service)
    rng = random.Random(int(os.environ.get("SOAK_SEED", "1")))
    harm = Harm(bulk, rng)
    end = time.monotonic() + SECONDS
    jobs = 0
    while time.monotonic() < end:
        jobs += 1
        body = patterns(MANY, DIDS, seed=jobs)
        own_service.wait_for(lambda: own_service.get("/jobs")[0] == 200, "the API is back")
        job_id = bulk.submit(body)
        while bulk.status(job_id)["state"] not in {"done", "failed"}:
            time.sleep(rng.uniform(*PAUSE_SECONDS))
            harm.some()
        own_service.wait_for(
            lambda job=job_id: bulk.status(job)["state"] == "done",  # type: ignore[misc]
            "the job is done",
        )
        assert_nothing_lost_and_nothing_twice(bulk, job_id, body)
    faults = ", ".join(f"{name} {count}" for name, count in sorted(harm.done.items()))
    print(f"\n{jobs} jobs of {MANY:,} patterns, {sum(harm.done.values())} faults: {faults}")
    assert sum(harm.done.values()) >= jobs
