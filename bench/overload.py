"""Twice as much as the service carries: what the accepted requests feel, and when all is well again."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

from bench import closedloop, openloop
from bench.connection import NO_ANSWER
from bench.contestant import Contestant
from bench.field import MOST_A_SECOND, Field
from bench.load import Load, Target
from bench.openloop import CONNECTIONS, PATIENCE_SECONDS, OpenLoop
from bench.plan import Plan
from bench.samples import Notebook
from bench.starts import note_memory

JSON = {"Content-Type": "application/json"}
GIVE_UP_SECONDS = 10.0
PROBE_SECONDS = 0.02
PROBES = 600


def measure(field: Field, plan: Plan, notes: Notebook) -> None:
    """The capacity is what a closed loop from the same generator reached just before."""
    for _ in field.rounds("overload", plan.overload_rounds):
        with field.turn("service") as service:
            if service is None:
                return
            ready = field.target(service, MOST_A_SECOND * plan.warm_seconds)
            closedloop.run(ready, plan.connections, plan.warm_seconds)
            ready = field.target(service, MOST_A_SECOND * plan.load_seconds)
            capacity = closedloop.run(ready, plan.connections, plan.load_seconds).rate
            if not capacity:
                raise OSError("the service gives no good answer under load")
            calm = field.target(service, capacity * plan.open_seconds)
            at_capacity = openloop.run(calm, capacity, plan.open_seconds, CONNECTIONS)
            flood, recovery_seconds = _flood(field, service, 2 * capacity, plan.open_seconds)
            notes.add("capacity", capacity)
            notes.add("capacity_p99_ms", at_capacity.p99_ms)
            notes.add("recovery_s", recovery_seconds)
            _note(flood, 2 * capacity, notes)
            note_memory(service, notes, "api_flooded_mb")


def _flood(field: Field, service: Contestant, rate: float, seconds: float) -> tuple[Load, float]:
    target = field.target(service, rate * seconds)
    probes = Target(service.port, service.path, field.supply.bodies(PROBES))
    return flood_and_probe(target, probes, rate, seconds)


def flood_and_probe(
    target: Target, probes: Target, rate: float, seconds: float
) -> tuple[Load, float]:
    """The flood, and the seconds from its last intended request to a good answer on a connection of its own.

    The probe does not wait for the flood's own answers. Raises OSError when no good answer comes.
    """
    flood = OpenLoop(target, rate, seconds, CONNECTIONS)
    with ThreadPoolExecutor(1) as pool:
        recovered = pool.submit(_recovered, flood, probes)
        load = flood.run(PATIENCE_SECONDS)
        return load, recovered.result() - flood.last_due


def _recovered(flood: OpenLoop, probes: Target) -> float:
    """When a probe got a good answer, of time.perf_counter()."""
    flood.sent.wait()
    end = flood.last_due + GIVE_UP_SECONDS
    for body in probes.bodies:
        left = end - time.perf_counter()
        if left <= 0:
            break
        if _is_answered(Target(probes.port, probes.path, [body]), left):
            return time.perf_counter()
        time.sleep(PROBE_SECONDS)
    raise OSError("the service does not answer again after the flood")


def _is_answered(probe: Target, most_seconds: float) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", probe.port, timeout=most_seconds)
    try:
        connection.request("POST", probe.path, probe.bodies[0], JSON)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _note(flood: Load, rate: float, notes: Notebook) -> None:
    refused = flood.refused.get(http.client.SERVICE_UNAVAILABLE, 0)
    notes.add("flood_p99_ms", flood.p99_ms)
    notes.add("flood_offered", flood.offered / rate)
    notes.add("flood_answered", flood.answered)
    notes.add("flood_refused", refused)
    notes.add("flood_too_late", flood.refused.get(http.client.GATEWAY_TIMEOUT, 0))
    notes.add("flood_no_answer", flood.refused.get(NO_ANSWER, 0))
    notes.add("flood_processor_share", flood.processor_seconds / flood.seconds)
    notes.add("flood_unsent", flood.unsent)
    notes.add("flood_late", flood.late)
    notes.add("flood_lost", sum(flood.refused.values()) - refused)
