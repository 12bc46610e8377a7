from __future__ import annotations

import asyncio

import pytest

from api.errors import ModelNotLoadedError
from api.health import FRESH_SECONDS, Health
from tests.api.stub_scoring import StubScoring

pytestmark = pytest.mark.anyio


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_those_who_ask_together_share_one_probe() -> None:
    stub, clock = StubScoring(), Clock()
    health = Health(stub, clock)
    stub.gate.clear()
    asking = [asyncio.create_task(health.current()) for _ in range(10)]
    await asyncio.sleep(0)
    stub.gate.set()
    answers = await asyncio.gather(*asking)
    assert stub.probes == 1
    assert answers == [{"model_version": "1.0.0", "device": "cpu"}] * 10


async def test_a_probe_is_good_for_a_second_and_no_longer() -> None:
    stub, clock = StubScoring(), Clock()
    health = Health(stub, clock)
    await health.current()
    clock.now += FRESH_SECONDS - 0.01
    await health.current()
    assert stub.probes == 1
    clock.now += 0.01
    await health.current()
    assert stub.probes == 2


async def test_the_second_begins_when_the_answer_is_there() -> None:
    stub, clock = StubScoring(), Clock()
    health = Health(stub, clock)
    stub.gate.clear()
    asking = asyncio.create_task(health.current())
    await asyncio.sleep(0)
    clock.now += 5
    stub.gate.set()
    await asking
    await health.current()
    assert stub.probes == 1


async def test_a_failed_probe_is_an_answer_and_is_asked_again_later() -> None:
    stub, clock = StubScoring(), Clock()
    health = Health(stub, clock)
    stub.failure = ModelNotLoadedError()
    assert await health.current() is stub.failure
    stub.failure = None
    clock.now += FRESH_SECONDS
    assert await health.current() == {"model_version": "1.0.0", "device": "cpu"}


async def test_one_who_leaves_does_not_take_the_others_probe_along() -> None:
    stub, clock = StubScoring(), Clock()
    health = Health(stub, clock)
    stub.gate.clear()
    leaving, staying = (asyncio.create_task(health.current()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    stub.gate.set()
    assert await staying == {"model_version": "1.0.0", "device": "cpu"}
    assert stub.probes == 1


async def test_an_unexpected_error_is_not_kept() -> None:
    stub, clock = StubScoring(), Clock()
    health = Health(stub, clock)
    stub.failure = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        await health.current()
    stub.failure = None
    clock.now += FRESH_SECONDS
    assert await health.current() == {"model_version": "1.0.0", "device": "cpu"}


async def test_uptime_is_counted_in_whole_seconds() -> None:
    clock = Clock()
    health = Health(StubScoring(), clock)
    clock.now += 61.9
    assert health.uptime_seconds == 61
