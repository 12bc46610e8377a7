"""The stages of the alternating run. Each round gives every contestant its turn before the next round begins."""

from __future__ import annotations

from typing import Any

from redis.exceptions import RedisError

from bench import openloop
from bench.field import Field, closed_loop
from bench.load import Target, percentile
from bench.peers.echo import EchoClient
from bench.people import People
from bench.plan import Plan
from bench.recorded import Recorded
from bench.samples import Notebook
from bench.scorer_alone import one_pattern_ms
from ml.scorer import Scorer

HEADLINE_RATE = 800  # requests/s
BATCH = 100
BATCHES_A_SECOND = 300  # so many are ready for each second of load
BATCH_CONNECTIONS = (
    4  # 400 patterns wait, which keeps everybody busy; 16 were refused on a busy machine
)


def throughput(
    field: Field, plan: Plan, notes: Notebook, echo: EchoClient, scorer: Scorer, people: People
) -> None:
    """64 connections and one connection, of everybody; the echo and the scorer alone within each round."""
    for _ in field.rounds("throughput", plan.rounds):
        for name in plan.contestants:
            with field.turn(name) as contestant:
                if contestant is None:
                    continue
                field.closed_loop(contestant, plan.connections, plan.warm_seconds)
                recorded = Recorded(contestant)
                load = field.closed_loop(contestant, plan.connections, plan.load_seconds)
                recorded.note(notes)
                one = field.closed_loop(contestant, 1, plan.one_seconds)
                notes.add(f"rate/{name}", load.rate)
                notes.add(f"p99_64_ms/{name}", load.p99_ms)
                notes.add(f"failed_64/{name}", load.failed + one.failed)
                notes.add(f"p50_one_ms/{name}", one.p50_ms)
        try:
            trips = echo.round_trips_ms(field.body(), plan.one_seconds)
        except (OSError, RuntimeError, RedisError) as error:
            field.say(f"the echo did not answer: {error}")
        else:
            notes.add("p50_one_ms/echo", percentile(sorted(trips), 0.5))
        notes.add("scorer_one_ms", one_pattern_ms(scorer, people))


def headline(field: Field, plan: Plan, notes: Notebook) -> None:
    """The open loop at the headline's rate."""
    for _ in field.rounds(f"open loop at {HEADLINE_RATE}/s", plan.open_rounds):
        with field.turn("service") as service:
            if service is None:
                return
            field.closed_loop(service, plan.connections, plan.warm_seconds)
            target = field.target(service, HEADLINE_RATE * plan.open_seconds)
            load = openloop.run(target, HEADLINE_RATE, plan.open_seconds)
            notes.add("open_p99_ms/service", load.p99_ms)
            notes.add("open_failed/service", load.failed)


def curve(field: Field, plan: Plan) -> list[dict[str, Any]]:
    """Latency against load: for each rate, everybody in turn."""
    points: list[dict[str, Any]] = []
    for number in field.rounds("latency against load", len(plan.curve_rates)):
        offered = plan.curve_rates[number]
        for name in plan.curve_of:
            with field.turn(name) as contestant:
                if contestant is None:
                    continue
                field.closed_loop(contestant, plan.connections, plan.warm_seconds)
                target = field.target(contestant, offered * plan.curve_seconds)
                load = openloop.run(target, offered, plan.curve_seconds)
                asked = load.answered + load.failed
                points.append(
                    {
                        "name": name,
                        "rate": offered,
                        "p50_ms": load.p50_ms,
                        "p99_ms": load.p99_ms,
                        "answered": load.answered / asked,
                    }
                )
    return points


def batches(field: Field, plan: Plan, notes: Notebook) -> None:
    """Patterns/s of `POST /batch-predict` with 100 items beside single calls."""
    for _ in field.rounds(f"batches of {BATCH}", plan.batch_rounds):
        with field.turn("service") as service:
            if service is None:
                return
            field.closed_loop(service, plan.connections, plan.warm_seconds)
            single = field.closed_loop(service, plan.connections, plan.load_seconds)
            ready = round(BATCHES_A_SECOND * max(1.0, plan.load_seconds))
            bodies = field.supply.batches(ready, BATCH)
            together = Target(service.port, "/batch-predict", bodies)
            joined = closed_loop(together, BATCH_CONNECTIONS, plan.load_seconds)
            notes.add("patterns/single", single.rate)
            notes.add("patterns/batch", joined.rate * BATCH)
            notes.add("failed_batches", joined.failed)
