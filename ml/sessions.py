"""A batch of sessions to score: what was typed now, and what the same DID typed before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NUMBERS = 4  # typing speed (wpm), hold (ms), transition (ms), errors (%)


@dataclass(frozen=True)
class Sessions:
    """B patterns, each with up to K patterns of its DID's past.

    `history` is newest first; what lies beyond a row's `counts` is padding, any finite value. K may be 0.
    Raises ValueError when the shapes do not fit together or a count lies outside 0..K.
    """

    current: NDArray[np.float64]  # (B, 4) wpm, hold_ms, transition_ms, error_percent
    history: NDArray[np.float64]  # (B, K, 4)
    counts: NDArray[np.int64]  # (B,)

    def __post_init__(self) -> None:
        rows = self.current.shape[0]
        if self.current.shape != (rows, NUMBERS):
            raise ValueError(f"current must be (B, {NUMBERS}), not {self.current.shape}")
        if self.history.ndim != 3 or self.history.shape[::2] != (rows, NUMBERS):
            raise ValueError(f"history must be ({rows}, K, {NUMBERS}), not {self.history.shape}")
        if self.counts.shape != (rows,):
            raise ValueError(f"counts must be ({rows},), not {self.counts.shape}")
        if rows and not 0 <= self.counts.min() <= self.counts.max() <= self.history.shape[1]:
            raise ValueError(f"counts must lie in 0..{self.history.shape[1]}")

    def __len__(self) -> int:
        return int(self.current.shape[0])

    def finite(self) -> NDArray[np.bool_]:
        """Which rows (B,) hold finite numbers only, in `current` and in the patterns of the history that count."""
        counted = np.arange(self.history.shape[1]) < self.counts[:, None]  # (B, K)
        past = np.isfinite(self.history).all(axis=2) | ~counted
        return np.asarray(np.isfinite(self.current).all(axis=1) & past.all(axis=1))

    def __getitem__(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Sessions:
        return Sessions(self.current[rows], self.history[rows], self.counts[rows])
