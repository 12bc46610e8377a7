"""Rich comparisons as channels of evidence: what the network learns of sessions with derived statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.evidence import MAX_HISTORY, Evidence
from ml.features import FEATURES
from ml.sessions import Sessions
from ml.statistics import is_rich

BATCH: Final = 2_000  # comparisons at a time; more would take gigabytes with 50 patterns each


@dataclass(frozen=True)
class Lessons:
    """N comparisons, already weighed. `user` is the person whose history it was."""

    channels: NDArray[np.float64]  # (N, 6)
    genuine: NDArray[np.bool_]  # (N,)
    user: NDArray[np.int64]  # (N,)

    def __len__(self) -> int:
        return len(self.genuine)


def rich_lessons(
    evidence: Evidence, table: SessionTable, count: int, rng: np.random.Generator
) -> Lessons:
    """About `count` comparisons of rich sessions, half of them genuine, the others random other people's.

    A history is of a random length from 1 to 50, short ones as often as long ones. Empty where nobody has two rich
    sessions.
    """
    if count == 0:
        return _nothing()
    table = table.rows(is_rich(table.derived_rows())).sorted()
    past = np.arange(len(table)) - np.searchsorted(table.user, table.user)
    able = np.flatnonzero(past > 0)
    if not len(able):
        return _nothing()
    rows = rng.choice(able, count)
    others = rng.integers(0, len(table), count)
    genuine = np.arange(count) % 2 == 0
    kept = genuine | (table.user[others] != table.user[rows])
    rows, genuine = rows[kept], genuine[kept]
    current = np.where(genuine, rows, others[kept])
    most = np.minimum(past[rows], MAX_HISTORY)
    lengths = np.exp(rng.uniform(0.0, np.log(most + 1.0))).astype(np.int64)
    channels = np.zeros((len(rows), FEATURES))
    for start in range(0, len(rows), BATCH):
        part = slice(start, start + BATCH)
        sessions = _against(table, current[part], rows[part], np.clip(lengths[part], 1, most[part]))
        channels[part] = evidence.channels(sessions)
    return Lessons(channels, genuine, table.user[rows])


def _nothing() -> Lessons:
    return Lessons(np.zeros((0, FEATURES)), np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64))


def _against(
    table: SessionTable,
    current: NDArray[np.int64],
    before: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> Sessions:
    back = np.arange(1, counts.max() + 1)
    rows = np.where(back <= counts[:, None], before[:, None] - back, 0)
    derived = table.derived_rows()
    return Sessions(
        table.features[current], table.features[rows], counts, derived[current], derived[rows]
    )
