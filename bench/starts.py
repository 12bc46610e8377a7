"""From the start of a process to its first answer, and what the front end weighs."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import psutil

from bench.contestant import Contestant
from bench.field import Field
from bench.installed_size import front_end_megabytes
from bench.plan import Plan
from bench.samples import Notebook
from bench.service import environment, service
from scripts.part import CannotRunError, Part
from scripts.ports import free_port

POLL_SECONDS: Final = 0.005
GIVE_UP_SECONDS: Final = 60.0


def front_end(field: Field, plan: Plan, notes: Notebook, url: str, directory: Path) -> None:
    """A second front end is started beside the running worker; the first one's memory is read after all its load."""
    if plan.start_rounds:
        notes.add("api_megabytes_on_disk", front_end_megabytes())
    for _ in field.rounds("start of the front end", plan.start_rounds):
        with field.turn("service") as running:
            if running is None:
                return
            port = free_port(0)
            given = environment(url, port, directory / "none")
            part = Part("bench-second-api", [sys.executable, "-m", "api"], given)
            second = Contestant("second", "", "", [part], port, "")
            notes.add("api_start_s", _seconds_until(part, second, field.body()))
            second.stop()
            note_memory(running, notes, "api_resident_mb")


def worker(field: Field, plan: Plan, notes: Notebook, url: str, directory: Path) -> None:
    """A front end of its own waits on the Redis database at `url`, where no worker is, until one answers."""
    for _ in field.rounds("start of the worker", plan.start_rounds):
        lonely = service(url, directory, "lonely")
        scoring, api = lonely.parts
        try:
            api.start()
            _until(partial(_listens, lonely, field.body()), api)
            notes.add("worker_start_s", _seconds_until(scoring, lonely, field.body()))
        finally:
            lonely.stop()


def note_memory(service: Contestant, notes: Notebook, name: str) -> None:
    """Take down the resident memory of its front end, in megabytes."""
    for part in service.parts:
        if part.name.endswith("-api") and part.process is not None:
            notes.add(name, psutil.Process(part.process.pid).memory_info().rss / 1e6)


def _seconds_until(part: Part, contestant: Contestant, body: bytes) -> float:
    """Start `part`; how long until the contestant answers. Raises CannotRunError."""
    began = time.perf_counter()
    part.start()
    _until(lambda: contestant.ask(body)[0] == http.client.OK, part)
    return time.perf_counter() - began


def _listens(contestant: Contestant, body: bytes) -> bool:
    return contestant.ask(body)[0] != 0


def _until(reached: Callable[[], bool], part: Part) -> None:
    end = time.monotonic() + GIVE_UP_SECONDS
    while not reached():
        part.check()
        if time.monotonic() > end:
            raise CannotRunError(f"{part.name} gave no answer in {GIVE_UP_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)
