"""What the messenger reads from the server beside answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import Redis

from api.errors import ModelNotLoadedError, QueueUnavailableError
from api.messenger import TOTALS, Messenger
from api.metrics import ApiMetrics
from worker.contract import ALIVE_KEY, ONLINE_QUEUE, STATS_KEY, Deadlines


@asynccontextmanager
async def messenger(url: str) -> AsyncIterator[Messenger]:
    running = Messenger(url, url, Deadlines(0.5), ApiMetrics())
    await running.start()
    try:
        yield running
    finally:
        await running.close()


def ask(url: str, name: str) -> Any:
    async def scenario() -> Any:
        async with messenger(url) as running:
            return await getattr(running, name)()

    return asyncio.run(asyncio.wait_for(scenario(), 10))


def test_the_figures_are_those_of_all_processes(clean: str) -> None:
    assert ask(clean, "totals") == dict.fromkeys(TOTALS, 0.0)
    with Redis.from_url(clean) as redis:
        redis.hset(STATS_KEY, mapping={"predictions": 7, "inference_ms_sum": 3.5})
    totals = ask(clean, "totals")
    assert (totals["predictions"], totals["inference_ms_sum"]) == (7, 3.5)


@pytest.mark.parametrize("value", ["abc", "nan", "inf", "", b"\xff"])
def test_a_figure_that_is_none_counts_as_nothing(clean: str, value: str | bytes) -> None:
    with Redis.from_url(clean) as redis:
        redis.hset(STATS_KEY, mapping={"predictions": value, b"\xff": 1, "anomalies": 2})
    totals = ask(clean, "totals")
    assert (totals["predictions"], totals["anomalies"]) == (0.0, 2.0)


def test_the_depth_is_the_number_of_messages_that_wait(clean: str) -> None:
    with Redis.from_url(clean) as redis:
        redis.lpush(ONLINE_QUEUE, "one", "two")
    assert ask(clean, "queue_depth") == 2


def test_the_reason_for_a_late_answer_is_a_dead_worker_only_where_none_lives(clean: str) -> None:
    assert isinstance(ask(clean, "why_late"), ModelNotLoadedError)
    with Redis.from_url(clean) as redis:
        redis.set(ALIVE_KEY, "somebody")
    assert ask(clean, "why_late") is None


@pytest.mark.parametrize("name", ["totals", "queue_depth"])
def test_a_server_that_is_gone_is_an_error_and_no_zero(name: str) -> None:
    with pytest.raises(QueueUnavailableError):
        ask("redis://127.0.0.1:1/0", name)
