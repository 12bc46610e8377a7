"""What who waits is told where no answer comes, or none that can be given; over a real server, as in test_dispatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.errors import (
    DeadlineExceededError,
    InferenceFailedError,
    InternalError,
    ModelNotLoadedError,
    OverloadedError,
    QueueUnavailableError,
)
from tests.api.dispatching import TIMEOUT_SECONDS, dispatcher, outcome, row, run
from tests.api.stub_worker import StubWorker, echo


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
