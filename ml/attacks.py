"""Impostors that are nobody's ordinary session: bots, replays and mimics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def bots(count: int, rng: np.random.Generator) -> Floats:
    """Sessions (count, 4) of programs: half draw each number by itself, which leaves times that contradict each other,
    a quarter press keys with no hold and no error, a quarter type faster than any person."""
    kind = rng.integers(0, 4, count)
    drawn = rng.uniform([10.0, 20.0, 0.0, 0.0], [200.0, 400.0, 800.0, 30.0], (count, 4))
    instant = rng.uniform([30.0, 0.0, 0.0, 0.0], [300.0, 10.0, 200.0, 0.0], (count, 4))
    racing = rng.uniform([220.0, 5.0, 0.0, 0.0], [400.0, 40.0, 20.0, 0.0], (count, 4))
    return np.where(
        (kind < 2)[:, None], drawn, np.where((kind == 2)[:, None], instant, racing)
    ).round(1)


def mimics(victims: Floats, rng: np.random.Generator) -> Floats:
    """Somebody who knows a victim's usual numbers (n, 4) and meets each within about 15 %."""
    attempt = victims * rng.normal(1.0, 0.15, victims.shape)
    attempt[:, 3] = np.maximum(attempt[:, 3] + rng.normal(0.0, 2.0, len(victims)), 0.0)
    return np.clip(attempt, [1.0, 1.0, -1_000.0, 0.0], [400.0, 5_000.0, 10_000.0, 100.0])


def replays(recorded: Floats, rng: np.random.Generator) -> Floats:
    """Recorded sessions (n, 4) again, half of them as they are, half with one time moved by one millisecond."""
    copies = recorded.copy()
    moved = np.flatnonzero(rng.random(len(copies)) < 0.5)
    field = rng.integers(1, 3, len(moved))
    copies[moved, field] += rng.choice([-1.0, 1.0], len(moved))
    return np.maximum(copies, [0.0, 0.0, -1_000.0, 0.0])
