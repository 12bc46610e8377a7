"""A job's end is told to the caller's server, whatever is restarted in between."""

from __future__ import annotations

import signal

import pytest

from tests.api.jobs.receiver import Receiver, documented_verifier, receiving
from tests.e2e.bulk import BulkService, ndjson, patterns
from tests.e2e.service import RunningService, free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
KEY = "the key that signs callbacks in tests"


def test_a_callback_outlives_a_front_end_and_a_receiver_that_is_away(
    own_service: RunningService,
) -> None:
    port = free_port()
    own_service.environment |= {
        "CALLBACK_HOSTS": f"127.0.0.1:{port}",
        "CALLBACK_KEY": KEY,
        "CALLBACK_NETWORKS": "127.0.0.0/8",
    }
    bulk = BulkService(own_service)
    bulk.worker()
    url = f"/jobs?callback_url=http://127.0.0.1:{port}/done"
    status, job = own_service.post(url, ndjson([*patterns(50, 10)]) + b"\nbroken")
    assert status == 202, job
    job_id = job["job_id"]

    def refused() -> bool:
        return bool((bulk.status(job_id).get("callback") or {}).get("error"))

    own_service.wait_for(refused, "the receiver was not there")
    bulk.api.signal(signal.SIGKILL)
    bulk.api.wait()
    with receiving(Receiver(), port) as receiver:
        own_service.api()
        own_service.wait_for(
            lambda: bulk.status(job_id).get("callback", {}).get("state") == "delivered",
            "the callback is delivered",
        )
    (told,) = receiver.jobs()
    assert (told["state"], told["done"], told["failed"]) == ("done", 50, 1)
    assert "callback" not in told
    ((path, headers, body),) = receiver.heard
    assert path == "/done"
    assert documented_verifier()(KEY, headers, body, float(headers["webhook-timestamp"]))
