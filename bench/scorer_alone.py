"""The scorer without any service, on one core, beside a bare chain of matrix products with as many operations.

The chain is the network's four products over 64 coalitions a pattern, in float32, and nothing else: no bias, no ReLU,
no evidence, no float64 pass, no autoencoder. Both are counted in processor time, without what neighbours take of the
core. Both have several short turns a round, and the best counts, since neighbours take of the caches, too.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from bench.people import HISTORY, People
from bench.samples import Notebook
from ml.coalitions import COALITIONS
from ml.scorer import Scorer
from ml.sessions import Sessions

LAYERS = (6, 128, 64, 32, 1)
SLICE_SECONDS = 0.05
TURNS = 5


def sessions(people: People, count: int) -> Sessions:
    """`count` sessions with their histories of 10, the first people again where they do not suffice."""
    chosen = np.arange(count) % people.count
    counts = np.full(count, HISTORY)
    ages = people.ages_hours[chosen]
    return Sessions(people.current[chosen], people.histories[chosen], counts, ages_hours=ages)


def chain(count: int) -> Callable[[], Tensor]:
    """The products for `count` patterns, (count * 64, 6) to (count * 64, 1)."""
    generator = torch.Generator().manual_seed(1)
    rows = torch.rand(count * COALITIONS, LAYERS[0], generator=generator)
    weights = [torch.rand(a, b, generator=generator) for a, b in itertools.pairwise(LAYERS)]

    def run() -> Tensor:
        with torch.inference_mode():
            return _product(rows, weights)

    return run


def _product(rows: Tensor, weights: list[Tensor]) -> Tensor:
    for weight in weights:
        rows = rows @ weight
    return rows


def rate(
    run: Callable[[], object],
    patterns: int,
    seconds: float = SLICE_SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Patterns/s of calls of `run` with `patterns` each, for about so many seconds, after one call to warm up."""
    run()
    calls, began = 0, clock()
    while (took := clock() - began) < seconds or not calls:
        run()
        calls += 1
    return calls * patterns / took


def measure(scorer: Scorer, people: People, batches: tuple[int, ...], notes: Notebook) -> None:
    """One round: scorer and chain in turn, for each size of batch."""
    for count in batches:
        given = sessions(people, count)
        runs: dict[str, Callable[[], object]] = {
            "scorer": partial(scorer.score, given),
            "chain": chain(count),
        }
        best = dict.fromkeys(runs, 0.0)
        for _ in range(TURNS):
            for name, run in runs.items():
                best[name] = max(best[name], rate(run, count, clock=time.process_time))
        for name, found in best.items():
            notes.add(f"{name}/{count}", found)


def one_pattern_ms(scorer: Scorer, people: People) -> float:
    """How long the scorer takes for one pattern, by the clock."""
    return 1000 / rate(partial(scorer.score, sessions(people, 1)), 1)
