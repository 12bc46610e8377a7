"""The people whose sessions are scored, the same for every contestant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

FEATURES: Final = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
)
HISTORY: Final = 10  # patterns of each DID, as in the headline figure of docs/accuracy.md
PEOPLE: Final = 1000


@dataclass(frozen=True)
class People:
    """`count` made-up people near the population's means; the same numbers on every machine."""

    count: int = PEOPLE
    seed: int = 4

    @cached_property
    def _means(self) -> NDArray[np.float64]:
        rng = np.random.default_rng(self.seed)
        return _consistent(rng.uniform([1, 80, 70, 1], [1, 140, 220, 8], (self.count, 4)))  # (N, 4)

    @cached_property
    def histories(self) -> NDArray[np.float64]:
        """Each DID's patterns (N, 10, 4), newest first, exact in float32, which is what the store keeps."""
        rng = np.random.default_rng(self.seed + 1)
        near = self._means[:, None] * rng.uniform(0.92, 1.08, (self.count, HISTORY, 4))
        return _consistent(near).astype(np.float32).astype(np.float64)

    @cached_property
    def ages_hours(self) -> NDArray[np.float64]:
        """How long ago each pattern was typed, (N, 10): one a day."""
        return np.tile(24.0 * np.arange(1, HISTORY + 1), (self.count, 1))

    @cached_property
    def current(self) -> NDArray[np.float64]:
        """A session (N, 4) of each person."""
        return self.typed(np.arange(self.count), np.random.default_rng(self.seed + 2))

    def typed(self, owners: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float64]:
        """A new session (N, 4) of each of `owners` (N,)."""
        near = self._means[owners] * rng.uniform(0.88, 1.12, (len(owners), 4))
        return _consistent(near).round(2)  # (N, 4)

    @cached_property
    def dids(self) -> list[str]:
        """The N DIDs."""
        return [f"did:bench:{n}" for n in range(self.count)]


def _consistent(patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same (..., 4) with the speed that hold and transition make: five keys a word, 60,000 ms a minute."""
    patterns[..., 0] = 12_000 / (patterns[..., 1] + patterns[..., 2])
    return patterns
