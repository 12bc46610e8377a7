"""Coalescing, bounds and deadlines, over a real server; the worker is a stub unless a test is about its absence."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from redis import Redis
from structlog.testing import capture_logs

from api.dispatch import Dispatcher
from api.errors import (
    DeadlineExceededError,
    InferenceFailedError,
    InternalError,
    ModelNotLoadedError,
    OverloadedError,
    QueueUnavailableError,
)
from api.metrics import ApiMetrics
from api.pace import WORTH_A_MESSAGE
from tests.api.dispatching import TIMEOUT_SECONDS, dispatcher, outcome, row, run, settings
from tests.api.stub_worker import Reply, StubWorker, echo
from worker.contract import ALIVE_KEY, MAX_ROWS_PER_MESSAGE, ONLINE_QUEUE


@pytest.fixture
def clean(redis_url: str) -> str:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return redis_url


@pytest.fixture
def worker(clean: str) -> Iterator[Callable[..., StubWorker]]:
    started: list[StubWorker] = []

    def start(reply: Reply = echo, **options: bool) -> StubWorker:
        started.append(StubWorker(clean, reply, **options))
        return started[-1]

    yield start
    for stub in started:
        stub.stop()


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


def test_where_no_message_can_be_sent_a_whole_crowd_hears_of_it(clean: str) -> None:
    async def scenario() -> list[tuple[type, float]]:
        async with dispatcher(clean, broker_url="redis://127.0.0.1:1/0") as dispatch:
            return await asyncio.gather(*(outcome(dispatch.score([row(n)])) for n in range(2000)))

    assert {kind for kind, _ in run(scenario())} == {QueueUnavailableError}


def test_without_a_worker_the_answer_is_an_error_by_the_deadline_and_the_queue_is_left_empty(
    clean: str,
) -> None:
    async def scenario() -> tuple[list[tuple[type, float]], int]:
        async with dispatcher(clean) as dispatch:
            found = await asyncio.gather(*(outcome(dispatch.score([row(n)])) for n in range(50)))
            await asyncio.sleep(0.1)
            return found, await dispatch.queue_depth()

    found, depth = run(scenario())
    assert {kind for kind, _ in found} == {ModelNotLoadedError}
    assert max(seconds for _, seconds in found) < 2 * TIMEOUT_SECONDS
    assert depth == 0


def test_answers_come_again_when_the_worker_is_back(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    async def scenario() -> list[Any]:
        async with dispatcher(clean) as dispatch:
            lost = [outcome(dispatch.score([row(n)])) for n in range(20)]
            assert {kind for kind, _ in await asyncio.gather(*lost)} == {ModelNotLoadedError}
            worker()
            return [*await dispatch.score([row(7)])]

    assert run(scenario())[0]["echo"] == row(7)


def test_a_worker_that_lives_and_does_not_answer_is_told_apart(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()
    stub.gate.clear()

    async def scenario() -> tuple[type, float]:
        async with dispatcher(clean) as dispatch:
            return await outcome(dispatch.score([row(1)]))

    kind, seconds = run(scenario())
    assert kind is DeadlineExceededError
    assert seconds < 2 * TIMEOUT_SECONDS


def test_what_never_got_its_turn_is_answered_as_overload(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()
    stub.gate.clear()

    async def scenario() -> type:
        async with dispatcher(clean, max_messages_in_flight=1) as dispatch:
            first = asyncio.create_task(outcome(dispatch.score([row(1)])))
            await asyncio.sleep(0.02)
            second = await outcome(dispatch.score([row(2)]))
            await first
            return second[0]

    assert run(scenario()) is OverloadedError


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


def test_a_lost_publication_is_found_by_the_last_look(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    worker(publish=False)

    async def scenario() -> Any:
        async with dispatcher(clean) as dispatch:
            return [*await dispatch.score([row(4)])]

    assert run(scenario())[0]["echo"] == row(4)


def test_a_last_look_that_fails_gives_the_messages_turn_back(
    clean: str, worker: Callable[..., StubWorker], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("api.results.Results.fetch", fail)

    async def scenario() -> Any:
        async with dispatcher(clean, max_messages_in_flight=1) as dispatch:
            with pytest.raises(InternalError):
                await dispatch.score([row(1)])
            worker()
            return [*await dispatch.score([row(2)])]

    assert run(scenario())[0]["echo"] == row(2)


def test_a_worker_that_fails_answers_everyone_of_the_message(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    def fail(_message: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError

    worker(fail)

    async def scenario() -> list[tuple[type, float]]:
        async with dispatcher(clean) as dispatch:
            return await asyncio.gather(*(outcome(dispatch.score([row(n)])) for n in range(5)))

    assert [kind for kind, _ in run(scenario())] == [InferenceFailedError] * 5


def test_an_answer_that_cannot_be_told_takes_nobody_elses(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    stub = worker()

    async def scenario() -> list[object]:
        told: list[object] = []
        both = asyncio.Event()

        def tell(answers: object) -> None:
            told.append(answers)
            if len(told) == 2:
                both.set()

        def fail(_: object) -> None:
            raise RuntimeError

        async with dispatcher(clean) as dispatch:
            for n, each in enumerate((tell, fail, tell)):
                dispatch.submit([row(n)], each)
            await both.wait()
        return told

    told = run(scenario())
    assert [answer["echo"] for answers in told for answer in answers] == [row(0), row(2)]
    assert [len(message["rows"]) for message in stub.messages] == [3]


def test_an_answer_of_the_wrong_length_fails_the_whole_message(
    clean: str, worker: Callable[..., StubWorker]
) -> None:
    def short(message: dict[str, Any]) -> dict[str, Any]:
        return {**echo(message), "rows": echo(message)["rows"][1:]}

    worker(short)

    async def scenario() -> list[tuple[type, float]]:
        async with dispatcher(clean) as dispatch:
            return await asyncio.gather(*(outcome(dispatch.score([row(n)])) for n in range(3)))

    assert [kind for kind, _ in run(scenario())] == [InferenceFailedError] * 3


@pytest.mark.parametrize("broken", [{}, {"rows": 5}, {"rows": [5]}, {"work_seconds": "long"}])
def test_an_answer_that_cannot_be_read_fails_its_message_and_is_logged_once(
    clean: str, worker: Callable[..., StubWorker], broken: dict[str, Any]
) -> None:
    worker(lambda _: broken)

    async def scenario() -> list[tuple[type, float]]:
        async with dispatcher(clean) as dispatch:
            return await asyncio.gather(*(outcome(dispatch.score([row(n)])) for n in range(3)))

    with capture_logs() as lines:
        kinds = [kind for kind, _ in run(scenario())]
    assert kinds == [InternalError] * 3
    assert [line["event"] for line in lines] == ["message_failed"]


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


def test_with_redis_down_the_refusal_comes_at_once() -> None:
    async def scenario() -> list[tuple[type, float]]:
        async with dispatcher("redis://127.0.0.1:1/0") as dispatch:
            return [
                await outcome(dispatch.score([row(1)])),
                await outcome(dispatch.probe()),
                await outcome(dispatch.totals()),
                await outcome(dispatch.queue_depth()),
            ]

    found = run(scenario())
    assert [kind for kind, _ in found] == [QueueUnavailableError] * 4
    assert max(seconds for _, seconds in found) < TIMEOUT_SECONDS / 2


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
