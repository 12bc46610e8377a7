"""What was measured, as it was measured: a list of values for each name, one for each round."""

from __future__ import annotations

from collections import defaultdict

Samples = dict[str, list[float]]


class Notebook:
    """Takes values down."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        """One more value of `name`."""
        self._values[name].append(float(value))

    @property
    def samples(self) -> Samples:
        """All of them."""
        return dict(self._values)
