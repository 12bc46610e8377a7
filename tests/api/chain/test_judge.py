from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api.chain.judge import Judge
from api.chain.window import Window
from api.errors import HistoryRequiredError, UnsupportedMessageError
from api.metrics import ApiMetrics
from api.ports import Scoring
from api.redis_client import open_redis
from tests.api.chain.questions import DIGESTS, HISTORY, MODEL, ChainScoring, question
from tests.api.front import NOW
from tests.api.stub_scoring import StubScoring

pytestmark = pytest.mark.anyio


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield client
    await client.aclose()


def judge(redis: Redis, scoring: Scoring, required: int = 0) -> Judge:
    window = Window(redis, 1, 60)
    return Judge(scoring, window, DIGESTS, ApiMetrics(), required=required, clock=lambda: NOW)


async def test_a_verdict_names_score_second_model_and_the_keyed_history(redis: Redis) -> None:
    scoring = ChainScoring()
    verdict = await judge(redis, scoring, required=4).judge(question())
    assert (verdict.score, verdict.timestamp) == (65, int(NOW))
    assert verdict.model == MODEL[:16]
    assert verdict.history == DIGESTS.history(HISTORY)
    assert scoring.rows == [question().row(4)]


async def test_a_row_that_fails_is_no_verdict(redis: Redis) -> None:
    scoring = ChainScoring()
    scoring.row_errors = {0: "HISTORY_REQUIRED"}
    with pytest.raises(HistoryRequiredError):
        await judge(redis, scoring).judge(question())
    assert await redis.keys("*") == []


async def test_a_worker_that_does_not_know_the_chains_questions_is_no_judge(redis: Redis) -> None:
    with pytest.raises(UnsupportedMessageError):
        await judge(redis, StubScoring()).judge(question())
    assert await redis.keys("*") == []
