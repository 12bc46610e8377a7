from __future__ import annotations

import asyncio
import time

import pytest

from api.backlog import LONG_SECONDS, LOOK_SECONDS, LOOKS, Backlog


class Cpu:
    """Processor time that only a test spends."""

    def __init__(self) -> None:
        self.spent = 0.0

    def __call__(self) -> float:
        return self.spent


def looked(backlog: Backlog, cpu: Cpu, seconds: float, times: int) -> bool:
    for _ in range(times):
        cpu.spent += seconds
        backlog.look()
    return backlog.long


def test_a_loop_that_is_busy_all_the_time_and_in_time_has_no_backlog() -> None:
    cpu = Cpu()
    assert not looked(Backlog(cpu), cpu, LOOK_SECONDS + LONG_SECONDS * 0.9, 100)


def test_a_burst_is_no_backlog_and_what_lasts_is_one() -> None:
    cpu = Cpu()
    backlog = Backlog(cpu)
    late = LOOK_SECONDS + LONG_SECONDS * 1.1
    assert not looked(backlog, cpu, late, LOOKS - 1)
    assert looked(backlog, cpu, late, 1)


def test_one_look_in_time_ends_it() -> None:
    cpu = Cpu()
    backlog = Backlog(cpu)
    assert looked(backlog, cpu, 1.0, LOOKS)
    assert not looked(backlog, cpu, 0.0, 1)


@pytest.mark.anyio
async def test_a_loop_that_computes_too_long_is_seen_and_one_that_waits_is_not() -> None:
    backlog = Backlog()
    backlog.start()
    await asyncio.sleep(LOOK_SECONDS * (LOOKS + 2))
    assert not backlog.long
    for _ in range(
        2 * (LOOKS + 1)
    ):  # a timer that is set during a turn may fire in the one after the next
        until = time.thread_time() + (LOOK_SECONDS + LONG_SECONDS) * 1.5
        while time.thread_time() < until:
            pass
        await asyncio.sleep(0)
    assert backlog.long
    backlog.close()
