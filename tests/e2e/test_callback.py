"""A job's end is told to the caller's server, whatever is restarted in between."""

from __future__ import annotations

import signal
import socket
import time
from collections import Counter

import pytest

from tests.api.jobs.receiver import Receiver, documented_verifier, receiving
from tests.e2e.bulk import BulkService, ndjson, patterns
from tests.e2e.service import RunningService, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
QUIET_SECONDS = 2.5  # each front end looks for what is due every second
KEY = "the key that signs callbacks in tests"


def calling_back(service: RunningService, port: int) -> BulkService:
    """A service with a bulk worker that may call this port of loopback."""
    service.environment |= {
        "CALLBACK_HOSTS": f"127.0.0.1:{port}",
        "CALLBACK_KEY": KEY,
        "CALLBACK_NETWORKS": "127.0.0.0/8",
    }
    bulk = BulkService(service)
    bulk.worker()
    return bulk


def callback(bulk: BulkService, job_id: str) -> dict[str, object]:
    return bulk.status(job_id).get("callback") or {}


def test_a_callback_outlives_a_front_end_and_a_receiver_that_is_away(
    own_service: RunningService,
) -> None:
    port = free_port()
    bulk = calling_back(own_service, port)
    url = f"/jobs?callback_url=http://127.0.0.1:{port}/done?token=c0ffee"
    status, job = own_service.post(url, ndjson([*patterns(50, 10)]) + b"\nbroken")
    assert status == 202, job
    job_id = job["job_id"]

    own_service.wait_for(
        lambda: bool(callback(bulk, job_id).get("error")), "the receiver was not there"
    )
    bulk.api.signal(signal.SIGKILL)
    bulk.api.wait()
    with receiving(Receiver(), port) as receiver:
        own_service.api()
        own_service.wait_for(
            lambda: callback(bulk, job_id).get("state") == "delivered",
            "the callback is delivered",
        )
    (told,) = receiver.jobs()
    assert (told["state"], told["done"], told["failed"]) == ("done", 50, 1)
    assert "callback" not in told
    ((path, headers, body),) = receiver.heard
    assert path == "/done?token=c0ffee"
    logs = "".join(log.read_text() for log in own_service.directory.glob("*.log"))
    assert '"event":"callback"' in logs
    assert "c0ffee" not in logs  # a callback's URL may hold a secret
    assert documented_verifier()(KEY, headers, body, float(headers["webhook-timestamp"]))


def test_two_front_ends_and_a_killed_redis_tell_of_each_end_once(
    own_service: RunningService,
) -> None:
    port = free_port()
    bulk = calling_back(own_service, port)
    other = free_port()
    own_service.api(PORT=str(other))

    def submit(seed: int) -> str:
        """A small job through one of the front ends or the other."""
        own_service.port, before = (other if seed % 2 else own_service.port), own_service.port
        path = f"/jobs?callback_url=http://127.0.0.1:{port}/{seed}"
        status, job = own_service.post(path, ndjson(patterns(10, 5, seed)))
        own_service.port = before
        assert status == 202, job
        return str(job["job_id"])

    def delivered(*jobs: str) -> bool:
        return all(callback(bulk, job).get("state") == "delivered" for job in jobs)

    own_service.wait_for(lambda: answers(other), "the other front end answers")
    with receiving(Receiver(), port) as receiver:
        jobs = [submit(seed) for seed in range(8)]
        own_service.wait_for(lambda: delivered(*jobs), "all callbacks are delivered")
    assert Counter(told["job_id"] for told in receiver.jobs()) == Counter(jobs)

    late = submit(8)
    own_service.wait_for(lambda: bool(callback(bulk, late).get("error")), "it was tried")
    bulk.redis.signal(signal.SIGKILL)
    bulk.redis.wait()
    with receiving(Receiver(), port) as receiver:
        own_service.redis()
        own_service.wait_for(lambda: delivered(late), "the callback is delivered")
        time.sleep(QUIET_SECONDS)
    (told,) = receiver.jobs()
    assert (told["job_id"], told["state"], told["done"]) == (late, "done", 10)


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
