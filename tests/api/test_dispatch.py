"""Coalescing, bounds and deadlines, over a real server; the worker is a stub unless a test is about its absence."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from redis import Redis

from api.dispatch import Dispatcher
from api.errors import ModelNotLoadedError, OverloadedError
from api.metrics import ApiMetrics
from api.pace import WORTH_A_MESSAGE
from tests.api.dispatching import TIMEOUT_SECONDS, dispatcher, outcome, row, run, settings
from tests.api.stub_worker import StubWorker
from worker.contract import ALIVE_KEY, MAX_ROWS_PER_MESSAGE, ONLINE_QUEUE


def test_a_thousand_waiters_get_each_their_own_answer_from_few_messages(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()

    async def scenario() -> list[Any]:
        async with dispatcher(clean) as dispatch:
            return await asyncio.gather(*(dispatch.score([row(n)]) for n in range(1000)))

    answers = run(scenario())
    assert [answer["echo"] for (answer,) in answers] == [row(n) for n in range(1000)]
    assert sum(len(message["rows"]) for message in stub.messages) == 1000
    assert len(stub.messages) <= 10
    assert max(len(message["rows"]) for message in stub.messages) <= MAX_ROWS_PER_MESSAGE


def test_a_batch_keeps_its_order_and_stays_in_one_message(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()

    async def scenario() -> tuple[Any, Any]:
        async with dispatcher(clean) as dispatch:
            batch = [row(n) for n in range(100)]
            return await asyncio.gather(dispatch.score(batch), dispatch.score([row(999)]))

    batch, single = run(scenario())
    assert [answer["echo"] for answer in batch] == [row(n) for n in range(100)]
    assert [answer["echo"] for answer in single] == [row(999)]
    assert [len(message["rows"]) for message in stub.messages] == [100, 1]


def test_a_crowd_that_comes_at_once_is_shared_out_over_the_messages_that_may_leave(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()

    async def scenario() -> None:
        async with dispatcher(clean, max_messages_in_flight=2) as dispatch:
            await asyncio.gather(*(dispatch.score([row(n)]) for n in range(64)))

    run(scenario())
    assert [len(message["rows"]) for message in stub.messages] == [32, 32]


def test_the_next_message_leaves_before_the_answers_that_made_room_for_it_are_told(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()
    stub.gate.clear()
    metrics = ApiMetrics()
    sent: list[float | None] = []
    both = asyncio.Event()

    def tell(_: object) -> None:
        sent.append(metrics.registry.get_sample_value("biometrics_messages_sent_total"))
        if len(sent) == 2:
            both.set()

    async def scenario() -> None:
        running = Dispatcher(settings(clean, max_messages_in_flight=1), metrics)
        await running.start()
        running.submit([row(1)], tell)
        await asyncio.sleep(0.02)
        running.submit([row(2)] * WORTH_A_MESSAGE, tell)
        stub.gate.set()
        await both.wait()
        await running.close()

    run(scenario())
    assert sent == [2.0, 2.0]


def test_more_than_the_bound_is_refused_at_once(clean: str) -> None:
    async def scenario() -> tuple[tuple[type, float], set[type]]:
        async with dispatcher(clean, max_waiting_patterns=10, max_messages_in_flight=1) as dispatch:
            first = asyncio.create_task(outcome(dispatch.score([row(0)])))
            await asyncio.sleep(0.05)
            waiting = [asyncio.create_task(outcome(dispatch.score([row(n)]))) for n in range(10)]
            await asyncio.sleep(0)
            refused = await outcome(dispatch.score([row(99)]))
            rest = {kind for kind, _ in await asyncio.gather(first, *waiting)}
            return refused, rest

    (kind, seconds), rest = run(scenario())
    assert kind is OverloadedError
    assert seconds < TIMEOUT_SECONDS / 2
    assert rest == {ModelNotLoadedError}


def test_a_caller_that_went_away_is_not_sent(clean: str, worker: Callable[..., StubWorker]) -> None:
    stub = worker()
    stub.gate.clear()

    async def scenario() -> None:
        async with dispatcher(clean, max_messages_in_flight=1) as dispatch:
            first = asyncio.create_task(dispatch.score([row(1)]))
            await asyncio.sleep(0.05)
            gone = asyncio.create_task(dispatch.score([row(2)]))
            await asyncio.sleep(0.05)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            last = asyncio.create_task(dispatch.score([row(3)]))
            stub.gate.set()
            await asyncio.gather(first, last)

    run(scenario())
    sent = [sent_row[0] for message in stub.messages for sent_row in message["rows"]]
    assert sent == ["0001", "0003"]


def test_closing_answers_who_still_waits(clean: str) -> None:
    async def scenario() -> list[Any]:
        running = Dispatcher(settings(clean, max_messages_in_flight=1), ApiMetrics())
        await running.start()
        with Redis.from_url(clean) as redis:
            redis.set(ALIVE_KEY, "x")
        calls = [asyncio.create_task(outcome(running.score([row(n)]))) for n in range(3)]
        calls.append(asyncio.create_task(outcome(running.probe())))
        await asyncio.sleep(0.05)
        await running.close()
        return await asyncio.gather(*calls)

    found = run(scenario())
    assert {kind for kind, _ in found} == {ModelNotLoadedError}
    assert max(seconds for _, seconds in found) < TIMEOUT_SECONDS / 2


def test_a_message_says_when_its_answer_is_worthless(clean: str) -> None:
    async def scenario() -> dict[str, Any]:
        async with dispatcher(clean) as dispatch:
            call = asyncio.create_task(outcome(dispatch.score([row(1)])))
            await asyncio.sleep(0.1)
            with Redis.from_url(clean) as redis:
                sent = json.loads(redis.lindex(ONLINE_QUEUE, 0) or b"")
            await call
            return dict(sent)

    began = time.time()
    sent = run(scenario())
    expires = datetime.fromisoformat(sent["headers"]["expires"]).timestamp() - began
    argument = json.loads(base64.b64decode(sent["body"]))[0][0]
    assert 0 < argument["deadline"] - began < expires < TIMEOUT_SECONDS + 0.05
