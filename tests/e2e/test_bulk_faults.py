"""Bulk jobs under faults, with real processes: nothing is lost, and nothing is in a history twice."""

from __future__ import annotations

import http.client
import signal
import time

import pytest

from tests.e2e.bulk import (
    BulkService,
    assert_nothing_lost_and_nothing_twice,
    ndjson,
    patterns,
)
from tests.e2e.service import RunningService
from worker.contract import BULK_QUEUE

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
MANY, DIDS = 24_000, 2_000  # six chunks, each some seconds' work of a busy machine


@pytest.fixture
def bulk(own_service: RunningService) -> BulkService:
    return BulkService(own_service)


def test_a_worker_killed_in_a_chunk_costs_nothing(bulk: BulkService) -> None:
    worker = bulk.worker()
    body = patterns(MANY, DIDS)
    job_id = bulk.submit(body)
    bulk.wait_until_begun(job_id)
    worker.signal(signal.SIGKILL)
    worker.wait()
    assert bulk.status(job_id)["state"] == "running"
    bulk.worker()
    bulk.wait_until_done(job_id)
    assert_nothing_lost_and_nothing_twice(bulk, job_id, body)


def test_a_worker_stopped_beyond_its_lease_writes_nothing_when_it_goes_on(
    bulk: BulkService,
) -> None:
    stopped = bulk.worker()
    body = patterns(MANY, DIDS)
    job_id = bulk.submit(body)
    bulk.wait_until_begun(job_id)
    stopped.signal(signal.SIGSTOP)
    bulk.worker()
    bulk.wait_until_done(job_id)
    before = assert_nothing_lost_and_nothing_twice(bulk, job_id, body)
    stopped.signal(signal.SIGCONT)
    second = bulk.submit(patterns(100, 10, seed=2))
    bulk.wait_until_done(second)
    time.sleep(1)  # the worker that was stopped ends its chunk meanwhile
    assert stopped.running()
    assert assert_nothing_lost_and_nothing_twice(bulk, job_id, body) == before


def test_redis_killed_and_restarted_from_its_file_goes_on_where_it_was(bulk: BulkService) -> None:
    bulk.worker()
    body = patterns(MANY, DIDS)
    job_id = bulk.submit(body)
    bulk.wait_until_begun(job_id)
    bulk.redis.signal(signal.SIGKILL)
    bulk.redis.wait()
    time.sleep(1)
    bulk.service.redis()
    bulk.wait_until_done(job_id)
    assert_nothing_lost_and_nothing_twice(bulk, job_id, body)


def test_two_workers_share_a_job_and_no_chunk(bulk: BulkService) -> None:
    body = patterns(MANY, DIDS)
    workers = [bulk.worker(), bulk.worker()]
    bulk.service.wait_for(
        lambda: workers[0].log.read_text().count(" ready.") >= 2, "both workers are ready"
    )
    job_id = bulk.submit(body)
    bulk.wait_until_done(job_id)
    assert_nothing_lost_and_nothing_twice(bulk, job_id, body)


def test_without_beat_the_work_goes_on(
    bulk: BulkService,
) -> None:
    bulk.beat.signal(signal.SIGKILL)
    bulk.beat.wait()
    bulk.worker()
    body = patterns(2_000, 200)
    job_id = bulk.submit(body)
    bulk.wait_until_done(job_id)
    assert_nothing_lost_and_nothing_twice(bulk, job_id, body)


def test_a_message_that_is_lost_is_sent_again(bulk: BulkService) -> None:
    body = patterns(2_000, 200)
    job_id = bulk.submit(body)
    with bulk.client() as redis:
        assert redis.llen(BULK_QUEUE) == 1
        redis.delete(BULK_QUEUE)
    bulk.worker()
    bulk.wait_until_done(job_id)
    assert_nothing_lost_and_nothing_twice(bulk, job_id, body)


def test_a_front_end_killed_while_a_job_is_sent_leaves_no_part_of_it(bulk: BulkService) -> None:
    body = ndjson(patterns(80_000, 1_000))  # the half of it is more than the front end holds
    half = len(body) // 2
    connection = http.client.HTTPConnection("127.0.0.1", bulk.service.port, timeout=30)
    connection.putrequest("POST", "/jobs")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders()
    connection.send(body[:half])
    with bulk.client() as redis:
        bulk.service.wait_for(
            lambda: any(redis.scan_iter("biometrics:job:*", count=1000)), "rows are staged"
        )
        bulk.api.signal(signal.SIGKILL)
        bulk.api.wait()
        left = list(redis.scan_iter("biometrics:job*", count=1000))
        assert all(0 < redis.ttl(key) <= 3600 for key in left)
        assert redis.llen(BULK_QUEUE) == 0
    bulk.service.api()
    bulk.service.wait_for(lambda: bulk.service.get("/")[0] == 200, "the API is back")
    assert bulk.service.get("/jobs") == (200, {"jobs": []})


def test_a_full_redis_refuses_a_job_with_507_and_keeps_nothing_of_it(bulk: BulkService) -> None:
    with bulk.client() as redis:
        room = int(redis.info("memory")["used_memory"]) + 3_000_000
        redis.config_set("maxmemory", room)
        status, refusal = bulk.service.post("/jobs", ndjson(patterns(200_000, 1_000)))
        assert (status, refusal["error_code"]) == (507, "STORAGE_FULL")
        assert list(redis.scan_iter("biometrics:job*", count=1000)) == []
        assert redis.llen(BULK_QUEUE) == 0
        redis.config_set("maxmemory", 0)
    bulk.worker()
    body = patterns(500, 50)
    job_id = bulk.submit(body)
    bulk.wait_until_done(job_id)
    assert_nothing_lost_and_nothing_twice(bulk, job_id, body)
