"""A histogram that takes its observations in lots: prometheus-client's own takes one at a time, at 2 us each."""

from __future__ import annotations

import collections
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric

LOT: Final = 500


class Distribution:
    """Observes into one series of `histogram`; `enter` makes what was observed visible, and so does every `lot`-th.

    `counter` counts the observations.
    """

    def __init__(
        self, histogram: Histogram, lot: int = LOT, counter: Counter | None = None
    ) -> None:
        self._series: Any = histogram  # which has no public way to add several observations
        self._counter = counter
        self._bounds: list[float] = self._series._upper_bounds
        self._lot = lot
        self._values: list[float] = []

    def observe(self, value: float) -> None:
        """Take note of a value."""
        self._values.append(value)
        if len(self._values) >= self._lot:
            self.enter()

    def observe_all(self, values: Sequence[float]) -> None:
        """Take note of values."""
        self._values += values
        if len(self._values) >= self._lot:
            self.enter()

    def enter(self) -> None:
        """Add what was noted to the histogram."""
        values, self._values = self._values, []
        if not values:
            return
        places = collections.Counter([bisect_left(self._bounds, value) for value in values])
        for place, count in places.items():
            self._series._buckets[place].inc(count)
        self._series._sum.inc(sum(values))
        if self._counter is not None:
            self._counter.inc(len(values))


class SettledRegistry(CollectorRegistry):
    """A registry that has everything entered before it shows anything."""

    def __init__(self, settle: Callable[[], None]) -> None:
        super().__init__()
        self._settle = settle

    def collect(self) -> Iterable[Metric]:
        """All metrics, complete."""
        self._settle()
        return super().collect()
