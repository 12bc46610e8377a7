"""Sessions as vectors of 38 even statistics, so that an attacker can average them, disturb them and mix them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.guard import DERIVED_DEVIATION, SUMMARY_DEVIATION
from ml.statistics import COUNTED, DERIVED, VALUES, WINDOWS, summary

Floats = NDArray[np.float64]
DEVIATION = np.concatenate(
    [SUMMARY_DEVIATION, DERIVED_DEVIATION]
)  # (38,) of one person's sentences
LEAST = np.array([1.0, 1.0, -1_000.0, 0.0])
GREATEST = np.array([400.0, 5_000.0, 10_000.0, 100.0])


@dataclass(frozen=True)
class Vectors:
    """N sessions: 38 statistics in deviations of one person's sentences (NaN: missing), counts and windows."""

    values: Floats  # (N, 38)
    counts: Floats  # (N, 23)
    windows: Floats  # (N,)

    @classmethod
    def of(cls, numbers: Floats, derived: Floats) -> Vectors:
        """Of four numbers (N, 4) and derived rows (N, 58)."""
        more = np.where(derived[:, VALUES] > 0, derived[:, VALUES], np.nan)
        values = np.concatenate([summary(numbers), more], axis=1) / DEVIATION  # (N, 38)
        return cls(values, derived[:, COUNTED], derived[:, WINDOWS])

    def rows(self, chosen: NDArray[np.int64]) -> Vectors:
        """The chosen sessions."""
        return Vectors(self.values[chosen], self.counts[chosen], self.windows[chosen])

    def sessions(self) -> tuple[Floats, Floats]:
        """Four numbers (N, 4) and derived rows (N, 58), as far as a request may hold them."""
        even = self.values * DEVIATION
        pause, hold, gap, errors = np.maximum(even[:, :4].T, [[-20.0], [0.0], [3.0], [0.0]])
        held = np.exp(hold)
        speed = 12_000.0 / np.exp(gap + np.sinh(pause) / 20.0)
        numbers = np.stack([speed, held, np.exp(gap) - held, errors**2], axis=1)
        derived = np.zeros((len(even), DERIVED))
        derived[:, VALUES] = np.nan_to_num(even[:, 4:])
        derived[:, COUNTED], derived[:, WINDOWS] = self.counts, self.windows
        return np.clip(numbers, LEAST, GREATEST), derived

    def disturbed(self, by: float, rng: np.random.Generator) -> Vectors:
        """The same with normal noise of so many of a person's own deviations on every statistic."""
        noise = by * rng.standard_normal(self.values.shape)
        return Vectors(self.values + noise, self.counts, self.windows)


def average(many: Vectors, groups: NDArray[np.int64], size: int) -> Vectors:
    """The mean of each group (N,) of 0..size-1; what some lack is the mean of the others, counts those of one session.

    A statistic that all of a group lack stays missing.
    """
    seen = ~np.isnan(many.values)
    total, number = np.zeros((size, many.values.shape[1])), np.zeros((size, many.values.shape[1]))
    np.add.at(total, groups, np.where(seen, many.values, 0.0))
    np.add.at(number, groups, seen.astype(float))
    members = np.maximum(np.bincount(groups, minlength=size), 1)[:, None]
    counts = np.zeros((size, many.counts.shape[1]))
    np.add.at(counts, groups, many.counts)
    windows = np.bincount(groups, many.windows, size) / members[:, 0]
    mean = np.where(number > 0, total / np.maximum(number, 1.0), np.nan)
    return Vectors(mean, np.rint(counts / members), np.rint(windows))
