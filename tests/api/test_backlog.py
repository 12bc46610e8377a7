from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time

import pytest

from api.backlog import LATE_LOOKS, LATE_SHARE, LONG_SECONDS, LOOK_SECONDS, LOOKS, Backlog

WAIT_SECONDS = 1.0


class Cpu:
    """Processor time, or a clock, that only a test moves."""

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
    assert not looked(Backlog(WAIT_SECONDS, cpu), cpu, LOOK_SECONDS + LONG_SECONDS * 0.9, 100)


def test_a_burst_is_no_backlog_and_what_lasts_is_one() -> None:
    cpu = Cpu()
    backlog = Backlog(WAIT_SECONDS, cpu)
    late = LOOK_SECONDS + LONG_SECONDS * 1.1
    assert not looked(backlog, cpu, late, LOOKS - 1)
    assert looked(backlog, cpu, late, 1)


def test_one_look_in_time_ends_it() -> None:
    cpu = Cpu()
    backlog = Backlog(WAIT_SECONDS, cpu)
    assert looked(backlog, cpu, 1.0, LOOKS)
    assert not looked(backlog, cpu, 0.0, 1)


@pytest.mark.anyio
async def test_a_loop_that_computes_too_long_is_seen_and_one_that_waits_is_not() -> None:
    backlog = Backlog(WAIT_SECONDS)
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


def test_a_clock_that_runs_ahead_twice_is_a_backlog_though_no_processor_time_was_spent() -> None:
    clock = Cpu()
    backlog = Backlog(WAIT_SECONDS, Cpu(), clock)
    late = LOOK_SECONDS + LATE_SHARE * WAIT_SECONDS * 1.1
    assert not looked(backlog, clock, late, LATE_LOOKS - 1)
    assert looked(backlog, clock, late, 1)
    assert not looked(backlog, clock, LOOK_SECONDS, 1)


def test_a_neighbour_that_makes_the_loop_somewhat_late_is_no_backlog() -> None:
    clock = Cpu()
    backlog = Backlog(WAIT_SECONDS, Cpu(), clock)
    assert not looked(backlog, clock, LOOK_SECONDS + LATE_SHARE * WAIT_SECONDS * 0.9, 100)


STARVED = f"""
import asyncio
from api.backlog import Backlog

async def watch():
    backlog = Backlog({WAIT_SECONDS})
    backlog.start()
    print("begun", flush=True)
    while not backlog.long:
        await asyncio.sleep(0.01)
    print("long", flush=True)

asyncio.run(watch())
"""


def test_a_process_that_hardly_gets_the_processor_sees_its_backlog() -> None:
    with subprocess.Popen([sys.executable, "-c", STARVED], stdout=subprocess.PIPE) as starved:
        assert starved.stdout is not None
        assert starved.stdout.readline() == b"begun\n"
        while starved.poll() is None:
            starved.send_signal(signal.SIGSTOP)
            time.sleep(2 * LATE_SHARE * WAIT_SECONDS)
            starved.send_signal(signal.SIGCONT)
            time.sleep(0.02)
        assert starved.stdout.readline() == b"long\n"
