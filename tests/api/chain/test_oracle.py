"""One inference and the same bytes, however many ask and whatever breaks; several processes share a real server."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from api.chain import oracle as oracle_module
from api.chain.answer import Signer
from api.chain.judge import Judge
from api.chain.keys import SigningKey
from api.chain.oracle import Oracle
from api.chain.question import Question
from api.chain.window import Stored, Window
from api.errors import ApiError, DeadlineExceededError, ModelNotLoadedError, OverloadedError
from api.metrics import ApiMetrics
from api.redis_client import open_redis
from tests.api.chain.questions import DIGESTS, SEED, ChainScoring, question

pytestmark = pytest.mark.anyio
ASKED = question()
SECONDS = 60


class Process:
    """One front end's oracle with its own connection, as another process would have."""

    def __init__(
        self, redis: Redis, *, oracle_id: int = 1, seed: str = SEED, seconds: int = SECONDS
    ) -> None:
        self.scoring = ChainScoring()
        self.window = Window(redis, oracle_id, seconds)
        self.monotonic: Callable[[], float] = time.monotonic
        tokens = itertools.count()
        judge = Judge(self.scoring, self.window, DIGESTS, ApiMetrics(), required=0, clock=time.time)
        self.oracle = Oracle(
            judge,
            self.window,
            Signer(SigningKey(bytes.fromhex(seed)), oracle_id, b""),
            monotonic=self._time,
            token=lambda: f"{id(self)}.{next(tokens)}",
        )

    def _time(self) -> float:
        return self.monotonic()

    async def answer(self, asked: Question = ASKED, seconds: float = 1.5) -> bytes:
        return await self.oracle.answer(asked, self.monotonic() + seconds)


@asynccontextmanager
async def process(redis_url: str, **changes: Any) -> AsyncIterator[Process]:
    redis = open_redis(redis_url)
    found = Process(redis, **changes)
    yield found
    await found.oracle.close()
    await redis.aclose()


@pytest.fixture
async def clean(redis_url: str) -> AsyncIterator[str]:
    client = open_redis(redis_url)
    await client.flushdb()
    yield redis_url
    await client.aclose()


async def test_a_thousand_callers_of_two_processes_cause_ten_inferences(clean: str) -> None:
    asked = [question(typing_speed_wpm=60 + place) for place in range(10)]
    async with process(clean) as one, process(clean) as two:
        answers = await asyncio.gather(
            *((one, two)[n % 2].answer(asked[n % 10]) for n in range(1000))
        )
        assert len(one.scoring.rows) + len(two.scoring.rows) == 10
    assert len(set(answers)) == 10
    assert [answers[n] for n in range(10)] * 100 == answers


async def test_a_process_that_was_started_later_gives_the_same_bytes(clean: str) -> None:
    async with process(clean) as one:
        first = await one.answer()
    async with process(clean) as two:
        assert await two.answer() == first
        assert two.scoring.rows == []


async def test_a_key_that_changed_within_the_window_does_not_change_the_bytes(clean: str) -> None:
    async with process(clean) as old:
        first = await old.answer()
    async with process(clean, seed="02" * 32) as new:
        assert await new.answer() == first


async def test_another_oracle_gives_the_same_score_in_bytes_of_its_own(clean: str) -> None:
    async with process(clean) as one, process(clean, oracle_id=2, seed="02" * 32) as two:
        first, second = await asyncio.gather(one.answer(), two.answer())
        assert len(one.scoring.rows) + len(two.scoring.rows) == 1
    score = first.index(b'"confidence_score"')
    assert first[score : score + 24] == second[score : score + 24]
    assert first != second


async def test_after_the_window_the_question_is_scored_again(clean: str) -> None:
    async with process(clean, seconds=1) as one:
        first = await one.answer()
        await asyncio.sleep(1.1)
        second = await one.answer()
        assert len(one.scoring.rows) == 2
    assert first != second


async def test_what_was_given_out_is_repeated_even_if_the_store_lost_it(clean: str) -> None:
    async with process(clean) as one:
        first = await one.answer()
        await open_redis(clean).flushdb()
        assert await one.answer() == first
        assert len(one.scoring.rows) == 1


async def test_the_memory_ends_before_the_store_does(clean: str) -> None:
    async with process(clean) as one:
        first = await one.answer()
        began = time.monotonic()
        one.monotonic = lambda: began + SECONDS
        await open_redis(clean).flushdb()
        assert await one.answer() != first


async def test_a_crash_after_scoring_costs_an_answer_and_the_next_process_gives_the_only_one(
    clean: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(clean) as crashing:
        hang = asyncio.Event()

        async def never(*_: object) -> None:
            await hang.wait()

        monkeypatch.setattr(crashing.window, "settle", never)
        with pytest.raises(DeadlineExceededError):
            await crashing.answer(seconds=0.2)
        assert len(crashing.scoring.rows) == 1
    async with process(clean) as one, process(clean) as two:
        answers = await asyncio.gather(one.answer(), two.answer())
        assert answers[0] == answers[1]
        assert len(one.scoring.rows) + len(two.scoring.rows) == 1


async def test_a_crash_between_verdict_and_signature_changes_nothing(
    clean: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(clean) as crashing:
        kept: list[bytes] = []

        async def lose(_asked: Question, _verdict: Any, rest: bytes, _token: str) -> Stored:
            kept.append(rest)
            await asyncio.Event().wait()
            raise AssertionError

        monkeypatch.setattr(crashing.window, "publish", lose)
        with pytest.raises(DeadlineExceededError):
            await crashing.answer(seconds=0.2)
    async with process(clean) as one:
        assert (await one.answer()).endswith(kept[0])
        assert one.scoring.rows == []


async def test_a_storer_that_comes_second_gives_out_what_the_first_stored(clean: str) -> None:
    async with process(clean) as one, process(clean) as two:
        one.scoring.gate.clear()
        late = asyncio.create_task(one.answer())
        await asyncio.sleep(0.05)
        await one.window.release(ASKED, f"{id(one)}.0")  # as if the lock had run out
        first = await two.answer()
        one.scoring.gate.set()
        assert await late == first
        assert len(one.scoring.rows) == len(two.scoring.rows) == 1


async def test_a_failure_is_told_and_the_next_who_asks_need_not_wait_for_the_lock(
    clean: str,
) -> None:
    async with process(clean) as one, process(clean) as two:
        one.scoring.failure = OverloadedError()
        with pytest.raises(OverloadedError):
            await one.answer()
        assert await two.answer()


async def test_what_nobody_expected_is_an_error_and_no_hang(clean: str) -> None:
    async with process(clean) as one:
        one.scoring.failure = ZeroDivisionError()
        with pytest.raises(ApiError):
            await one.answer()


async def test_no_caller_waits_beyond_the_cut(clean: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle_module, "CUT_SECONDS", 0.2)
    async with process(clean) as one:
        one.scoring.gate.clear()
        outcomes = await asyncio.gather(
            *(one.answer(seconds=0.2) for _ in range(20)), return_exceptions=True
        )
    assert all(isinstance(outcome, DeadlineExceededError) for outcome in outcomes)
    assert len(one.scoring.rows) == 1


async def test_a_caller_that_leaves_does_not_take_the_others_answer_with_it(clean: str) -> None:
    async with process(clean) as one:
        one.scoring.gate.clear()
        first, second = (asyncio.create_task(one.answer()) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        one.scoring.gate.set()
        assert await second
        assert len(one.scoring.rows) == 1


async def test_errors_are_not_remembered(clean: str) -> None:
    async with process(clean) as one:
        one.scoring.failure = ModelNotLoadedError()
        with pytest.raises(ModelNotLoadedError):
            await one.answer()
        one.scoring.failure = None
        assert await one.answer()


async def test_the_memory_is_bounded(clean: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle_module, "MAX_REMEMBERED", 5)
    async with process(clean) as one:
        for speed in range(10, 30):
            await one.answer(question(typing_speed_wpm=speed))
        assert len(one.oracle._remembered) == 5
