"""Batches of sessions for tests of what is made of them."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from api.ranges import STATISTICS
from ml.scorer import Scores
from worker.comparison import Comparison, Typed, beside
from worker.contract import WINDOW_COUNTS, WINDOW_STATISTICS
from worker.records import Pattern, decode, pack_derived

NOW = 1_790_000_000.0
NUMBERS = [65.0, 120.0, 85.0, 3.0]
SHARES = np.array([0.1, 0.2, 0.3, 0.25, 0.1, 0.05])


def window(seed: int, share: float = 1.0) -> list[float | None]:
    """A rich window of the wire, in which about `share` of the statistics are there."""
    rng = random.Random(seed)
    statistics = [
        rng.uniform(STATISTICS[name].low * 0.5 + STATISTICS[name].high * 0.5, STATISTICS[name].high)
        if rng.random() < share
        else None
        for name in WINDOW_STATISTICS
    ]
    if statistics[0] is not None:
        statistics[0] /= 2.0  # the least holds lie well below the greatest
    counts = [rng.randrange(1, 40) for _ in WINDOW_COUNTS]
    return [*NUMBERS, *statistics, *(n + 15 for n in counts[:3]), *counts[3:]]


def row(
    name: str | None = "aa", brought: list[Any] | None = None, windows: list[Any] | None = None
) -> list[Any]:
    """A row of the wire."""
    return [name, [*NUMBERS, 14.0], brought, windows]


def brought(count: int, windows: list[Any] | None = None) -> list[Any]:
    """Patterns of a caller, an hour apart, none of them a copy of `row`'s."""
    return [
        [NOW - 3600.0 * k, 67.0 + k, 125.0 + k, 80.0, 3.0, windows] for k in range(1, count + 1)
    ]


def pattern(k: int, derived: Any = None) -> Pattern:
    """A recorded pattern, `k` hours old; as k grows they lead nowhere, and none is a copy of `row`'s."""
    apart = (1 + k / 4) * (-1) ** k
    extra = b"" if derived is None else pack_derived(derived[None])[0]
    return Pattern(int(NOW) - 3600 * k, (67.0 + apart, 125.0 + apart, 80.0, 3.0), 9, extra)


def compared(
    rows: list[list[Any]], recorded: list[list[Pattern]], quota: int = 0, now: float = NOW
) -> Comparison:
    """Rows beside what is recorded of their DIDs."""
    records, counts = decode([[each.pack() for each in one] for one in recorded])
    return beside(Typed.of(rows), records, counts, np.full(len(rows), now), quota)


def scores(
    confidence: list[int], anomaly: list[float], implausible: list[bool] | None = None
) -> Scores:
    """What a model could have said."""
    return Scores(
        np.array(confidence),
        np.array(anomaly),
        np.tile(SHARES, (len(confidence), 1)),
        np.array(implausible or [False] * len(confidence)),
    )
