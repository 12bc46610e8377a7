"""Sessions with every statistic that a window can have, for tests."""

from __future__ import annotations

import random
from typing import Any

from api.ranges import COUNTS, STATISTICS
from worker.contract import WINDOW_COUNTS, WINDOW_STATISTICS

NUMBERS = {
    "typing_speed_wpm": 61.2,
    "avg_key_hold_time_ms": 109.7,
    "avg_transition_time_ms": 88.1,
    "error_rate_percent": 2.5,
}


def rich_window(seed: int = 0) -> dict[str, Any]:
    """A window of a request in which no number is short."""
    rng = random.Random(seed)
    within = {
        name: rng.uniform(each.low * 0.6 + each.high * 0.4, each.low * 0.4 + each.high * 0.6)
        for name, each in STATISTICS.items()
    }
    counts = {name: rng.randrange(1, 6) for name in COUNTS}
    counts |= {"keys": 120 + seed % 7, "holds": 110, "pairs": 100, "spaces": 11}
    return {**NUMBERS, "version": 1, "statistics": within, "counts": counts}


def on_the_wire(window: dict[str, Any]) -> list[float | None]:
    """The same window as the worker gets it."""
    numbers = [window[name] for name in NUMBERS]
    statistics = [window["statistics"].get(name) for name in WINDOW_STATISTICS]
    return [*numbers, *statistics, *(window["counts"].get(name, 0) for name in WINDOW_COUNTS)]
