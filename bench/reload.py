"""What callers feel while the worker takes another model: the longest time without an answer.

Requests arrive at a constant rate all the while. The same is measured without a reload: a busy machine pauses, too.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Final

from bench.field import Field
from bench.load import Target
from bench.openloop import CONNECTIONS, PATIENCE_SECONDS, OpenLoop
from bench.peers.answers import MODEL
from bench.plan import Plan
from bench.samples import Notebook
from ml.registry import load, manifest, save
from worker.promotion import Promotions

RATE: Final = 500  # requests/s: one each 2 ms
SECONDS: Final = 10.0  # the thread that loads rests more than it works, and must be done by then
PROMOTE_AFTER: Final = (
    0.5  # the worker looks every second, then loads and warms up beside the present model
)


def measure(field: Field, plan: Plan, notes: Notebook, models: Path) -> None:
    """`models` is the directory that the service's worker watches."""
    for number in field.rounds("reload of the model", plan.reload_rounds):
        with field.turn("service") as service:
            if service is None:
                return
            target = partial(field.target, service, RATE * SECONDS)
            notes.add("undisturbed_pause_ms", longest_pause_ms(target()))
            version = f"9.0.{number}"
            promotions = prepare(models, version)
            promote_later = threading.Timer(PROMOTE_AFTER, promotions.promote, (version,))
            promote_later.start()
            pause = longest_pause_ms(target())
            promote_later.join()
            used = service.ask(field.body())[1]["model_version"]
            if used != version:
                raise OSError(f"the worker did not take model {version}: it answers with {used}")
            notes.add("reload_pause_ms", pause)


def prepare(models: Path, version: str) -> Promotions:
    """The shipped model again, as another version: a new file to verify, load, warm up and swap in."""
    promotions = Promotions(models)
    described = asdict(manifest(MODEL))
    save(replace(load(MODEL).model, version=version), promotions.path(version), described)
    return promotions


def longest_pause_ms(target: Target) -> float:
    """The longest time between two answers beyond that between two requests. Raises OSError when one has no answer."""
    loop = OpenLoop(target, RATE, SECONDS, CONNECTIONS)
    load = loop.run(PATIENCE_SECONDS)
    if load.failed:
        raise OSError(f"{load.failed} requests failed: {load.refused}")
    gaps = (later - earlier for earlier, later in itertools.pairwise(loop.answered_at))
    return max(0.0, (max(gaps) - 1 / RATE) * 1000)
