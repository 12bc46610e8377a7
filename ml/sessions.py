"""A batch of sessions to score: what was typed now, and what the same DID typed before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.statistics import DERIVED

NUMBERS = 4  # typing speed (wpm), hold (ms), transition (ms), errors (%)


@dataclass(frozen=True)
class Sessions:
    """B patterns, each with up to K patterns of its DID's past.

    `history` is newest first; what lies beyond a row's `counts` is padding, any finite value. K may be 0. The derived
    rows of `ml.statistics` are all zero for a pattern that has its four numbers only; None means that all of them are.
    `ages_hours` tells how long before the session each pattern was typed; None: in the same sitting.
    Raises ValueError when the shapes do not fit together or a count lies outside 0..K.
    """

    current: NDArray[np.float64]  # (B, 4) wpm, hold_ms, transition_ms, error_percent
    history: NDArray[np.float64]  # (B, K, 4)
    counts: NDArray[np.int64]  # (B,)
    derived: NDArray[np.float64] | None = None  # (B, 58)
    past_derived: NDArray[np.float64] | None = None  # (B, K, 58)
    ages_hours: NDArray[np.float64] | None = None  # (B, K)

    def __post_init__(self) -> None:
        rows = self.current.shape[0]
        if self.history.ndim != 3 or self.history.shape[::2] != (rows, NUMBERS):
            raise ValueError(f"history must be ({rows}, K, {NUMBERS}), not {self.history.shape}")
        longest = self.history.shape[1]
        for name, shape in (
            ("current", (rows, NUMBERS)),
            ("counts", (rows,)),
            ("derived", (rows, DERIVED)),
            ("past_derived", (rows, longest, DERIVED)),
            ("ages_hours", (rows, longest)),
        ):
            given = getattr(self, name)
            if given is not None and given.shape != shape:
                raise ValueError(f"{name} must be {shape}, not {given.shape}")
        if rows and not 0 <= self.counts.min() <= self.counts.max() <= longest:
            raise ValueError(f"counts must lie in 0..{longest}")

    def __len__(self) -> int:
        return int(self.current.shape[0])

    def counted(self) -> NDArray[np.bool_]:
        """Which patterns (B, K) of the histories are no padding."""
        return np.asarray(np.arange(self.history.shape[1]) < self.counts[:, None])

    def finite(self) -> NDArray[np.bool_]:
        """Which rows (B,) hold finite numbers only, now and in the patterns of the history that count."""
        given = (self.current, self.history, self.derived, self.past_derived, self.ages_hours)
        with np.errstate(invalid="ignore", over="ignore"):
            total = sum(each.sum() for each in given if each is not None)
        if np.isfinite(total):
            return np.ones(len(self), dtype=np.bool_)  # the usual case, without a look at each
        sound = np.isfinite(self.current).all(axis=1)  # (B,)
        past = np.isfinite(self.history).all(axis=2)  # (B, K)
        if self.derived is not None:
            sound &= np.isfinite(self.derived).all(axis=1)
        if self.past_derived is not None:
            past &= np.isfinite(self.past_derived).all(axis=2)
        if self.ages_hours is not None:
            past &= np.isfinite(self.ages_hours)
        return np.asarray(sound & (past | ~self.counted()).all(axis=1))

    def __getitem__(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Sessions:
        return Sessions(
            self.current[rows],
            self.history[rows],
            self.counts[rows],
            None if self.derived is None else self.derived[rows],
            None if self.past_derived is None else self.past_derived[rows],
            None if self.ages_hours is None else self.ages_hours[rows],
        )
