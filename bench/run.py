"""One measurement from beginning to end: start everybody, give everybody their turns, write down what came."""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import torch

from bench import overload, reload, scorer_alone, stages, starts, wrk
from bench.contestant import Contestant
from bench.field import Field
from bench.figures import figures
from bench.machine import describe
from bench.peers import lineup
from bench.peers.answers import MODEL
from bench.peers.echo import EchoClient
from bench.people import People
from bench.plan import Plan
from bench.samples import Notebook
from bench.service import ONE_THREAD, RedisPart, in_process, remember, service
from bench.supply import Supply, confidences
from bench.wire import allow_files
from ml.registry import load
from scripts.part import CannotRunError, Part

OTHER_DATABASE: Final = {"echo": 1, "celery": 2, "lonely": 3, "in_process": 4, "mosec": 5}


def measure(plan: Plan, say: Callable[[str], None]) -> dict[str, Any]:
    """The JSON of a measurement. Raises CannotRunError when Redis or the service itself cannot be started."""
    began = time.monotonic()
    allow_files()  # a flood is thousands of clients
    machine, notes, people = describe(), Notebook(), People()  # before the bench itself is the load
    torch.set_num_threads(1)
    scorer = load(MODEL)
    scorer.warm_up()
    check = partial(confidences, scorer, people)
    field = Field(Supply(people), check, say, began + plan.most_seconds)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = RedisPart("shared", directory / "redis")
        stack.callback(redis.part.stop)
        redis.start()
        for database in (0, OTHER_DATABASE["in_process"], OTHER_DATABASE["mosec"]):
            remember(people, redis.url(database))
        echo = _echo(stack, redis.url(OTHER_DATABASE["echo"]))
        stack.callback(field.stop)
        for contestant in entries(plan, redis, directory):
            field.enter(contestant)
        if "service" not in field.running:
            raise CannotRunError(f"the service does not run: {field.out['service']}")
        stages.throughput(field, plan, notes, echo, scorer, people)
        for _ in field.rounds("scorer alone", plan.scorer_rounds):
            scorer_alone.measure(scorer, people, plan.scorer_batches, notes)
        stages.headline(field, plan, notes)
        curve = stages.curve(field, plan)
        stages.batches(field, plan, notes)
        starts.front_end(field, plan, notes, redis.url(), directory)
        overload.measure(
            field, plan, notes
        )  # leaves the front end with the memory of thousands of clients
        starts.worker(field, plan, notes, redis.url(OTHER_DATABASE["lonely"]), directory)
        reload.measure(field, plan, notes, directory / "service-models")
        labels = {contestant.name: contestant.label for contestant in field.everybody}
        return {
            "date": datetime.now(UTC).date().isoformat(),
            "plan": plan.name,
            "machine": machine,
            "generator": "wrk" if wrk.installed() else "bench/closedloop.py",
            "contestants": [_entry(one, field.out) for one in field.everybody],
            "figures": _figures(plan, notes, labels),
            "curve": [_finite(point) for point in curve],
            "samples": {name: _rounded(values) for name, values in notes.samples.items()},
            "took_seconds": round(time.monotonic() - began),
        }


def entries(plan: Plan, redis: RedisPart, directory: Path) -> list[Contestant]:
    """Those whom the plan names, not yet started."""
    makers: dict[str, Callable[[], Contestant]] = {
        "service": lambda: service(redis.url(), directory),
        "mosec": lineup.mosec,
        "mosec_whole": lambda: lineup.mosec_whole(redis.url(OTHER_DATABASE["mosec"]), directory),
        "litserve": lineup.litserve,
        "bentoml": lineup.bentoml,
        "ray": lineup.ray_serve,
        "ray_tuned": lineup.ray_serve_tuned,
        "celery": lambda: lineup.celery_get(redis.url(OTHER_DATABASE["celery"])),
        "in_process": lambda: in_process(redis.url(OTHER_DATABASE["in_process"]), directory),
    }
    return [makers[name]() for name in plan.contestants]


def _echo(stack: ExitStack, url: str) -> EchoClient:
    given: dict[str, str | None] = {"REDIS_URL": url, **ONE_THREAD}
    part = Part("bench-echo", [sys.executable, "-m", "bench.peers.echo"], given)
    stack.callback(part.stop)
    part.start()
    return EchoClient(url)


def _entry(contestant: Contestant, out: dict[str, str]) -> dict[str, Any]:
    """A contestant in the JSON; the reason why it is out loses this machine's paths."""
    reason = out.get(contestant.name, "")
    for path in (str(Path.cwd()), sys.prefix, os.path.expanduser("~")):  # noqa: PTH111
        reason = reason.replace(path, "...")
    return {
        "name": contestant.name,
        "label": contestant.label,
        "version": contestant.version,
        "about": contestant.about,
        "out": reason,
    }


def _figures(plan: Plan, notes: Notebook, labels: dict[str, str]) -> list[dict[str, Any]]:
    """All figures; of a plan that leaves stages out, those that were measured."""
    found = figures(notes.samples, labels)
    return [figure.entry() for figure in found if figure.values or plan.name == "full"]


def _finite(point: dict[str, Any]) -> dict[str, Any]:
    """A point of the curve; a latency of which there is none becomes null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in point.items()
    }


def _rounded(values: list[float]) -> list[float | None]:
    """Six digits; what is no number becomes null, which JSON knows."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]
