"""Twice as much as the service carries: what the accepted requests feel, and when all is well again."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import Iterator

import uvloop

from bench import closedloop, openloop
from bench.connection import Connection
from bench.contestant import Contestant
from bench.field import MOST_A_SECOND, Field
from bench.load import Load, Target
from bench.openloop import PATIENCE_SECONDS, OpenLoop
from bench.plan import Plan
from bench.samples import Notebook

CONNECTIONS = 512  # at twice the capacity a deadline of 1 s may keep many requests open
GIVE_UP_SECONDS = 10.0
PROBE_SECONDS = 0.02
PROBES = 600


def measure(field: Field, plan: Plan, notes: Notebook) -> None:
    """The capacity is what a closed loop from the same generator reached just before."""
    for number in range(plan.overload_rounds):
        field.say(f"overload, round {number + 1} of {plan.overload_rounds}")
        with field.turn("service") as service:
            if service is None:
                return
            ready = field.target(service, MOST_A_SECOND * plan.warm_seconds)
            closedloop.run(ready, plan.connections, plan.warm_seconds)
            ready = field.target(service, MOST_A_SECOND * plan.load_seconds)
            capacity = closedloop.run(ready, plan.connections, plan.load_seconds).rate
            calm = field.target(service, capacity * plan.open_seconds)
            at_capacity = openloop.run(calm, capacity, plan.open_seconds, CONNECTIONS)
            flood, recovery_seconds = _flood(field, service, 2 * capacity, plan.open_seconds)
            notes.add("capacity", capacity)
            notes.add("capacity_p99_ms", at_capacity.p99_ms)
            notes.add("recovery_s", recovery_seconds)
            _note(flood, 2 * capacity, notes)


def _flood(field: Field, service: Contestant, rate: float, seconds: float) -> tuple[Load, float]:
    target = field.target(service, rate * seconds)
    probes = Target(service.port, service.path, field.supply.bodies(PROBES))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(flood_and_probe(target, probes, rate, seconds))


async def flood_and_probe(
    target: Target, probes: Target, rate: float, seconds: float
) -> tuple[Load, float]:
    """The flood, and the seconds from its last intended request to a good answer on a connection of its own.

    The probe does not wait for the flood's own answers. Raises OSError when no good answer comes.
    """
    loop = OpenLoop(target, rate, seconds, CONNECTIONS)
    flood = asyncio.create_task(loop.run(PATIENCE_SECONDS))
    await loop.sent.wait()
    connection, requests = Connection(target.port), iter(probes.requests())
    try:
        if not (flood.done() and flood.exception()):
            await _good_answer(connection, requests, loop.last_due + GIVE_UP_SECONDS)
        recovery_seconds = time.perf_counter() - loop.last_due
    finally:
        connection.close()
        load = await flood
    return load, recovery_seconds


async def _good_answer(connection: Connection, requests: Iterator[bytes], end: float) -> None:
    for request in requests:
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if not connection.is_open:
            await connection.open()
        connection.ask(request, answered.set_result)
        left = end - time.perf_counter()
        done, _ = await asyncio.wait([answered], timeout=max(0.0, left))
        if done and answered.result() == http.client.OK:
            return
        if not done or left <= 0:
            break
        await asyncio.sleep(PROBE_SECONDS)
    raise OSError("the service does not answer again after the flood")


def _note(flood: Load, rate: float, notes: Notebook) -> None:
    refused = flood.refused.get(http.client.SERVICE_UNAVAILABLE, 0)
    notes.add("flood_p99_ms", flood.p99_ms)
    notes.add("flood_offered", flood.offered / rate)
    notes.add("flood_answered", flood.answered)
    notes.add("flood_refused", refused)
    notes.add("flood_too_late", flood.refused.get(http.client.GATEWAY_TIMEOUT, 0))
    notes.add("flood_unsent", flood.unsent)
    notes.add("flood_late", flood.late)
    notes.add("flood_lost", sum(flood.refused.values()) - refused)
