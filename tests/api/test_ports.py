"""The stub and the real queue, held to the same expectations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis

from api.dispatch import Dispatcher
from api.metrics import ApiMetrics
from api.ports import Scoring
from tests.api.front import settings
from tests.api.known_answer import known_answer
from tests.api.stub_scoring import StubScoring
from tests.api.stub_worker import StubWorker
from worker.contract import WIRE_VERSION

pytestmark = pytest.mark.anyio
PROBE_ANSWER = {"model_version": "1.0.0", "device": "cpu"}


def reply(message: dict[str, Any]) -> dict[str, Any]:
    """What the worker answers to either task: a score for each row, or a word about itself."""
    if not message["rows"]:
        return PROBE_ANSWER
    rows = [
        {"error": "INFERENCE_ERROR"} if row[0] == "bad" else known_answer(row)
        for row in message["rows"]
    ]
    return {"v": WIRE_VERSION, "work_seconds": 0.001, "rows": rows}


@pytest.fixture(params=["stub", "dispatcher"])
async def scoring(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[Scoring]:
    if request.param == "stub":
        stub = StubScoring()
        await stub.start()
        yield stub
        await stub.close()
        return
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    worker = StubWorker(redis_url, reply)
    dispatcher = Dispatcher(settings(redis_url=redis_url), ApiMetrics())
    await dispatcher.start()
    yield dispatcher
    await dispatcher.close()
    worker.stop()


def row(speed: float, did_hash: str | None = "aa") -> list[Any]:
    return [did_hash, [speed, 120.0, 85.0, 3.0, 14.0], None, None]


async def test_every_row_gets_its_own_answer_in_order(scoring: Scoring) -> None:
    rows = [row(float(speed)) for speed in (70, 10, 40)]
    assert [*await scoring.score(rows)] == [known_answer(each) for each in rows]


async def test_a_row_that_fails_leaves_the_others_their_answers(scoring: Scoring) -> None:
    if isinstance(scoring, StubScoring):
        scoring.row_errors = {1: "INFERENCE_ERROR"}
    rows = [row(10.0), row(20.0, "bad"), row(30.0)]
    entries = [*await scoring.score(rows)]
    assert entries == [known_answer(rows[0]), {"error": "INFERENCE_ERROR"}, known_answer(rows[2])]


async def test_a_probe_tells_the_model_and_its_device(scoring: Scoring) -> None:
    assert await scoring.probe() == PROBE_ANSWER


async def test_before_the_first_prediction_every_sum_is_zero(scoring: Scoring) -> None:
    sums = await scoring.totals()
    assert sums == {
        "predictions": 0.0,
        "inference_ms_sum": 0.0,
        "confidence_sum": 0.0,
        "anomalies": 0.0,
    }


async def test_nothing_waits_in_a_queue_that_is_worked_off(scoring: Scoring) -> None:
    await scoring.score([row(10.0)])
    assert await scoring.queue_depth() == 0
