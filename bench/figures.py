"""The figures that the service is to reach, from what was measured. A ratio is taken within a round."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from bench.samples import Samples

RATIO_TO_REACH: Final[dict[str, float | None]] = {
    "mosec": 1.0,
    "mosec_whole": 1.0,
    "litserve": 4.0,
    "bentoml": 6.0,
    "ray": 15.0,
    "ray_tuned": None,  # its ratio stands beside the other's
    "celery": 12.0,
    "in_process": 1.5,
}
FLAT: Final = 0.75  # slowest batch against the fastest; one that leaves the cache falls to a third
P99_MS: Final = 25.0  # at 800 requests/s
OFFERED: Final = 0.95  # of twice the capacity must leave in time, or the flood was none
A_MILLION: Final = 1e6
NO_GPU: Final = "open: no GPU on this machine; `python -m bench.gpu` measures it"
NO_IMAGE: Final = "open: no container engine here; `docker build -f Dockerfile.api .` shows it"


@dataclass(frozen=True)
class Figure:
    """One line of the table. `values` holds one value for each round; empty where it was not measured."""

    name: str
    unit: str
    values: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None
    open: str = ""  # why it cannot be measured here, and what measures it
    valid: bool = True  # False where it was not measured under the load that it names

    @property
    def median(self) -> float:
        """The middle of the values; NaN without any."""
        return statistics.median(self.values) if self.values else math.nan

    @property
    def judged(self) -> float:
        """What is held against the bounds: the median, but the greatest value where there must be none at all."""
        return max(self.values) if self.values and self.at_most == 0 else self.median

    @property
    def reached(self) -> bool | None:
        """Whether `judged` is where it should be; None where nothing was asked or measured."""
        if not self.values or (self.at_least is None and self.at_most is None):
            return None
        if not (self.valid and all(map(math.isfinite, self.values))):
            return False  # not under its load, or a round in which nothing was answered
        least = -math.inf if self.at_least is None else self.at_least
        most = math.inf if self.at_most is None else self.at_most
        return least <= self.judged <= most

    def entry(self) -> dict[str, Any]:
        """As it stands in the JSON."""
        if not self.values or not all(map(math.isfinite, self.values)):
            nothing: dict[str, Any] = dict.fromkeys(("median", "judged", "low", "high"))
            values = [value if math.isfinite(value) else None for value in self.values]
            return {**asdict(self), **nothing, "values": values, "reached": self.reached}
        spread = {
            "median": self.median,
            "judged": self.judged,
            "low": min(self.values),
            "high": max(self.values),
        }
        return {**asdict(self), **spread, "reached": self.reached}


def figures(samples: Samples, labels: dict[str, str]) -> list[Figure]:
    """All figures, in the order of the table; `labels` names the contestants."""
    return [
        *_throughput(samples, labels),
        *_latency(samples),
        *_scorer(samples),
        *_starts(samples),
        *_overload(samples),
    ]


def _throughput(samples: Samples, labels: dict[str, str]) -> list[Figure]:
    own = samples.get("rate/service", [])
    found = [Figure("`POST /predict`, 64 connections", "requests/s", tuple(own))]
    for name, least in RATIO_TO_REACH.items():
        if name in labels:
            ratios = _by_round(own, samples.get(f"rate/{name}", []), lambda a, b: a / b)
            found.append(Figure(f"the same against {labels[name]}", "x", ratios, least))
    refused = "its requests without an answer of 200"
    found.append(_plain(samples, "failed_64/service", refused, "", 0.0))
    share = tuple(100 * each for each in samples.get("recorded_share/service", []))
    found.append(Figure("its requests that entered a history", "%", share))
    batch = _of(samples, "patterns/batch", "patterns/single", lambda a, b: a / b)
    found.append(
        Figure("`POST /batch-predict`, 100 items, patterns/s against single calls", "x", batch, 3.0)
    )
    found.append(_plain(samples, "failed_batches", "batches without an answer of 200", "", 0.0))
    return found


def _latency(samples: Samples) -> list[Figure]:
    floor = _of(samples, "p50_one_ms/echo", "scorer_one_ms", lambda a, b: a + b)
    own = samples.get("p50_one_ms/service", [])
    against = _by_round(own, floor, lambda a, b: a / b)
    echo = "p50 with one connection, against a bare Redis echo and the scorer's own time"
    return [
        Figure("p50 with one connection", "ms", tuple(own), at_most=2.0),
        Figure(echo, "x", against, at_most=2.0),
        _plain(samples, "open_p99_ms/service", "p99, open loop at 800 requests/s", "ms", P99_MS),
        _plain(
            samples, "open_failed/service", "open loop, requests without an answer of 200", "", 0.0
        ),
    ]


def _scorer(samples: Samples) -> list[Figure]:
    sizes = sorted(int(name.split("/")[1]) for name in samples if name.startswith("scorer/"))
    if not sizes:
        return []
    own = [samples[f"scorer/{size}"] for size in sizes]
    chains = [samples[f"chain/{size}"] for size in sizes]
    best = [max(values) for values in zip(*chains, strict=True)]
    worst = [min(values) for values in zip(*own, strict=True)]
    most = [max(values) for values in zip(*own, strict=True)]
    span = f"batches of {sizes[0]:,} to {sizes[-1]:,}"
    share = tuple(a / b for a, b in zip(worst, best, strict=True))
    flat = tuple(a / b for a, b in zip(worst, most, strict=True))
    return [
        Figure(f"scorer alone, one core, slowest of {span}", "patterns/s", tuple(worst)),
        Figure("the same against the matrix products alone, at their fastest", "x", share, 0.5),
        Figure("slowest of these batches against the fastest", "x", flat, FLAT),
        Figure("scorer on a GPU, with importances", "patterns/s", (), A_MILLION, open=NO_GPU),
    ]


def _starts(samples: Samples) -> list[Figure]:
    return [
        _plain(samples, "api_start_s", "API, start to first answer", "s", 1.5),
        _plain(samples, "api_resident_mb", "API, resident memory after the load", "MB", 120.0),
        _plain(samples, "api_flooded_mb", "the same after the flood", "MB"),
        _plain(samples, "api_megabytes_on_disk", "API, installed packages", "MB"),
        Figure("API, its image", "MB", (), at_most=150.0, open=NO_IMAGE),
        _plain(samples, "worker_start_s", "worker, start to first answer", "s", 6.0),
        _plain(
            samples, "reload_pause_ms", "pause of answers while a model is reloaded", "ms", 20.0
        ),
        _plain(samples, "undisturbed_pause_ms", "the longest pause without a reload", "ms"),
    ]


def _overload(samples: Samples) -> list[Figure]:
    tail = _of(samples, "flood_p99_ms", "capacity_p99_ms", lambda a, b: a / b)
    name = "p99 of the answered at twice the capacity, against at capacity"
    lost = "requests at twice the capacity answered neither with 200 nor with 503"
    offered = tuple(samples.get("flood_offered", ()))
    loaded = all(share >= OFFERED for share in offered)
    spent = tuple(100 * share for share in samples.get("flood_processor_share", ()))
    return [
        Figure("requests/s that left, against twice the capacity", "x", offered, OFFERED),
        Figure("what sending them took of one core", "%", spent),
        Figure(name, "x", tail, at_most=2.0, valid=loaded),
        replace(_plain(samples, "flood_lost", lost, "", 0.0), valid=loaded),
        _plain(
            samples, "recovery_s", "next good answer after the last request of the flood", "s", 1.0
        ),
    ]


def _plain(
    samples: Samples, key: str, name: str, unit: str, at_most: float | None = None
) -> Figure:
    return Figure(name, unit, tuple(samples.get(key, ())), at_most=at_most)


def _of(
    samples: Samples, one: str, other: str, join: Callable[[float, float], float]
) -> tuple[float, ...]:
    return _by_round(samples.get(one, []), samples.get(other, []), join)


def _by_round(
    one: Sequence[float], other: Sequence[float], join: Callable[[float, float], float]
) -> tuple[float, ...]:
    """Round by round, as far as both were measured."""
    return tuple(join(a, b) for a, b in zip(one, other, strict=False))
