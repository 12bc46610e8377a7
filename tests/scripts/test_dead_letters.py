"""The dead-letter list from a shell, through a front end over a real store."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from redis import Redis

from scripts.dead_letters import main
from tests.api.front import app_for
from tests.api.served import served
from worker.contract import BULK_QUEUE, DEAD_CHUNKS, MAX_RUN_SECONDS, JobKeys

JOB = "a" * 32
NAME = f"{JOB}.3"


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        note = {"job_id": JOB, "chunk": 3, "patterns": 7, "since": 1_790_000_000.5}
        client.hset(DEAD_CHUNKS, NAME, json.dumps(note))
        client.hset(
            JobKeys(JOB).job,
            mapping={"state": "done", "failed": 7, "open": 0, "total": 7, "keyed": "k"},
        )
        client.hset(JobKeys(JOB).ledger, "s:3", "dead")
        yield client


@pytest.fixture
def url(redis_url: str) -> Iterator[str]:
    with served(app_for(redis_url=redis_url, log_level="ERROR")) as port:
        yield f"http://127.0.0.1:{port}"


def test_a_dead_chunk_is_listed_tried_again_and_gone_from_the_list(
    redis: Redis, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", url, "list"]) == 0
    assert f"{NAME}  7 patterns" in capsys.readouterr().out
    assert main(["--url", url, "retry", NAME]) == 0
    assert redis.hget(JobKeys(JOB).ledger, "s:3") == b"waiting"
    assert redis.hmget(JobKeys(JOB).job, "state", "failed", "open") == [b"running", b"0", b"1"]
    assert redis.llen(BULK_QUEUE) == 1
    assert int(redis.ttl(JobKeys(JOB).job)) > MAX_RUN_SECONDS - 60
    assert main(["--url", url, "list"]) == 0
    assert NAME not in capsys.readouterr().out


def test_a_dropped_chunk_stays_failed(redis: Redis, url: str) -> None:
    assert main(["--url", url, "drop", NAME]) == 0
    assert redis.hlen(DEAD_CHUNKS) == 0
    assert redis.hget(JobKeys(JOB).job, "failed") == b"7"
    assert redis.llen(BULK_QUEUE) == 0


def test_an_unknown_name_and_a_service_that_is_away_are_told(
    redis: Redis, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--url", url, "retry", "nothing.1"]) == 1
    assert "no such dead letter" in capsys.readouterr().err
    assert main(["--url", "http://127.0.0.1:1", "list"]) == 1
    assert "help: --url" in capsys.readouterr().err


def test_a_letter_whose_job_is_gone_is_not_listed(
    redis: Redis, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    redis.delete(JobKeys(JOB).job)
    assert main(["--url", url, "list"]) == 0
    assert capsys.readouterr().out == ""
    assert redis.hlen(DEAD_CHUNKS) == 0
