"""A bulk job for the end-to-end tests: its patterns, how it is sent and watched, and what must hold at its end."""

from __future__ import annotations

import json
import random
import struct
import urllib.request
from typing import Any

from redis import Redis

from api.identity import Identities
from tests.e2e.service import HASH_KEY, Process, RunningService
from worker.history import History

NUMBERS = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
)
BEGIN = 1_780_000_000
Job = dict[str, Any]


def patterns(count: int, dids: int, seed: int = 1) -> list[Job]:
    """`count` different patterns of `dids` people who type alike each time, in no order of time."""
    rng = random.Random(seed)
    people = [
        (rng.uniform(40, 80), rng.uniform(80, 140), rng.uniform(60, 150), 3.0) for _ in range(dids)
    ]
    found = []
    for n in range(count):
        did = rng.randrange(dids)
        values = [round(value * rng.uniform(0.97, 1.03), 3) for value in people[did]]
        values[3] = round(n * 5.0 / count, 6)  # tells the patterns of one DID apart
        features = dict(zip(NUMBERS, values, strict=True)) | {"activity_hour_preference": 14}
        found.append(
            {"did": f"did:bulk:{seed}-{did}", "timestamp": BEGIN + n, "features": features}
        )
    rng.shuffle(found)
    return found


def ndjson(body: list[Job]) -> bytes:
    return b"\n".join(json.dumps(pattern).encode() for pattern in body)


class BulkService:
    """A service with Redis, API, beat and bulk workers whose leases end soon."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        service.environment |= {"JOB_LEASE_SECONDS": "2", "JOB_SWEEP_SECONDS": "0.5"}
        self.redis = service.redis()
        self.api = service.api()
        self.beat = service.worker("beat")
        service.wait_for(lambda: service.get("/")[0] == 200, "the API answers")

    def worker(self) -> Process:
        return self.service.worker("bulk")

    def submit(self, body: list[Job], **headers: str) -> str:
        status, job = self.service.post("/jobs", ndjson(body), **headers)
        assert status == 202, job
        return str(job["job_id"])

    def status(self, job_id: str) -> Job:
        status, job = self.service.get(f"/jobs/{job_id}")
        return job if status == 200 else {"state": "unknown", "done": 0, "failed": 0}

    def wait_until_done(self, job_id: str) -> Job:
        self.service.wait_for(
            lambda: self.status(job_id)["state"] in {"done", "failed"}, f"{job_id} ends"
        )
        return self.status(job_id)

    def wait_until_begun(self, job_id: str, share: float = 0.0) -> None:
        """Until some patterns are done and others are not: a worker is at work on a chunk."""

        def begun() -> bool:
            job = self.status(job_id)
            return bool(job["done"] > share * job.get("total", 1))

        self.service.wait_for(begun, f"{job_id} is under way")

    def results(self, job_id: str, offset: int = 0) -> list[Job]:
        url = self.service.url(f"/jobs/{job_id}/results?offset={offset}")
        with urllib.request.urlopen(url, timeout=60) as answer:
            return [json.loads(line) for line in answer]

    def client(self) -> Redis:
        return Redis.from_url(self.service.redis_url)


def assert_nothing_lost_and_nothing_twice(
    bulk: BulkService, job_id: str, body: list[Job]
) -> list[Job]:
    """Every pattern has one result; each history holds what was recorded, once, in order of time."""
    job = bulk.status(job_id)
    assert (job["state"], job["done"], job["failed"]) == ("done", len(body), 0), bulk.service.logs()
    results = bulk.results(job_id)
    assert [result["index"] for result in results] == list(range(len(body)))
    assert all(0 <= result["confidence_score"] <= 100 for result in results)
    expected: dict[str, list[tuple[float, ...]]] = {}
    for pattern, result in sorted(
        zip(body, results, strict=True), key=lambda pair: float(pair[0]["timestamp"])
    ):
        past = expected.setdefault(pattern["did"], [])
        assert result["history_used"] == min(len(past), 50), pattern["did"]
        if result["recorded"]:
            past.append(tuple(_float32(pattern["features"][name]) for name in NUMBERS))
    with bulk.client() as redis:
        history = History(redis, 50, 180)
        identities = Identities(HASH_KEY)
        hashes = [str(identities.identify(did)) for did in expected]
        stored = history.read(hashes)
    for past, found in zip(expected.values(), stored, strict=True):
        assert [pattern.features for pattern in found] == past[::-1][:50]
    return results


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
