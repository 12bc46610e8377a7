"""Twice as much as the service carries: what the accepted requests feel, and when all is well again."""

from __future__ import annotations

import http.client
import time

from bench import closedloop, openloop
from bench.field import Field
from bench.plan import Plan
from bench.samples import Notebook

CONNECTIONS = 512  # at twice the capacity a deadline of 1 s may keep many requests open
GIVE_UP_SECONDS = 10.0


def measure(field: Field, plan: Plan, notes: Notebook) -> None:
    """The capacity is what a closed loop from the same generator reached just before."""
    for number in range(plan.overload_rounds):
        field.say(f"overload, round {number + 1} of {plan.overload_rounds}")
        with field.turn("service") as service:
            if service is None:
                return
            target = service.target(field.requests)
            closedloop.run(target, plan.connections, plan.warm_seconds)
            capacity = closedloop.run(target, plan.connections, plan.load_seconds).rate
            at_capacity = openloop.run(target, capacity, plan.open_seconds, CONNECTIONS)
            flood = openloop.run(target, 2 * capacity, plan.open_seconds, CONNECTIONS)
            ended = time.perf_counter()
            while service.ask(field.requests[0])[0] != http.client.OK:
                if time.perf_counter() - ended > GIVE_UP_SECONDS:
                    raise OSError("the service does not answer again after the flood")
            notes.add("capacity", capacity)
            notes.add("recovery_s", time.perf_counter() - ended)
            notes.add("capacity_p99_ms", at_capacity.p99_ms)
            notes.add("flood_p99_ms", flood.p99_ms)
            notes.add("flood_answered", flood.answered)
            notes.add("flood_refused", flood.refused.get(http.client.SERVICE_UNAVAILABLE, 0))
            notes.add("flood_too_late", flood.refused.get(http.client.GATEWAY_TIMEOUT, 0))
            notes.add("flood_unsent", flood.unsent)
            notes.add("flood_without_answer", flood.refused.get(0, 0))
