"""Comparisons to train and to measure on: a session, the history it is held against, and whether it is genuine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.sessions import NUMBERS, Sessions


@dataclass(frozen=True)
class Trials:
    """N comparisons. `user` is the person whose history it is."""

    sessions: Sessions  # N patterns
    genuine: NDArray[np.bool_]  # (N,)
    user: NDArray[np.int64]  # (N,)

    def __len__(self) -> int:
        return len(self.genuine)

    def rows(self, chosen: NDArray[np.int64]) -> Trials:
        """The chosen comparisons."""
        return Trials(self.sessions[chosen], self.genuine[chosen], self.user[chosen])


def random_histories(
    table: SessionTable, longest: int, per_session: int, rng: np.random.Generator
) -> Trials:
    """For every session with a past, `per_session` genuine comparisons and as many with another person's session.

    A comparison's history is that person's most recent sessions, of a random length from 1 to `longest` or to all the
    past there is. The impostor is a random session of a random other person.
    """
    table = table.sorted()
    first = np.searchsorted(table.user, table.user)
    past = np.arange(len(table)) - first  # (N,)
    rows = np.repeat(np.flatnonzero(past > 0), per_session)
    counts = rng.integers(1, np.minimum(past[rows], longest) + 1)
    genuine = _compare(table, rows, rows, counts, longest)
    others = rng.integers(0, len(table), len(rows))
    keep = table.user[others] != table.user[rows]
    impostor = _compare(table, others[keep], rows[keep], counts[keep], longest)
    return together(
        [_label(genuine, True, table.user[rows]), _label(impostor, False, table.user[rows[keep]])]
    )


def enrolled(table: SessionTable, enrol: int, impostors: int, rng: np.random.Generator) -> Trials:
    """The verification protocol: every person's first `enrol` sessions are the history of all comparisons with them.

    Genuine are the person's later sessions; impostors are later sessions of `impostors` random other people.
    People without a later session are left out. With enrol = 0 nobody has a history.
    """
    table = table.sorted()
    starts = np.flatnonzero(np.diff(table.user, prepend=table.user[:1] - 1))
    lengths = np.diff(starts, append=len(table))
    starts, lengths = starts[lengths > enrol], lengths[lengths > enrol]
    own = np.repeat(np.arange(len(starts)), lengths - enrol)
    later = np.concatenate(
        [np.arange(s + enrol, s + n) for s, n in zip(starts, lengths, strict=True)]
    )
    victim = np.repeat(np.arange(len(starts)), impostors)
    other = (victim + rng.integers(1, len(starts), len(victim))) % len(starts)
    drawn = starts[other] + enrol + rng.integers(0, lengths[other] - enrol)
    claimed = np.concatenate([own, victim])
    rows = np.concatenate([later, drawn])
    counts = np.full(len(rows), enrol)
    trials = _compare(table, rows, starts[claimed] + enrol, counts, enrol)
    genuine = np.arange(len(rows)) < len(own)
    return Trials(trials, genuine, table.user[starts[claimed]])


def together(parts: list[Trials]) -> Trials:
    """All comparisons of `parts`, whose histories are equally wide."""
    return Trials(
        Sessions(
            np.concatenate([part.sessions.current for part in parts]),
            np.concatenate([part.sessions.history for part in parts]),
            np.concatenate([part.sessions.counts for part in parts]),
        ),
        np.concatenate([part.genuine for part in parts]),
        np.concatenate([part.user for part in parts]),
    )


def _label(sessions: Sessions, genuine: bool, user: NDArray[np.int64]) -> Trials:
    return Trials(sessions, np.full(len(sessions), genuine), user)


def _compare(
    table: SessionTable,
    rows: NDArray[np.int64],
    before: NDArray[np.int64],
    counts: NDArray[np.int64],
    width: int,
) -> Sessions:
    """Sessions `rows` against the `counts` sessions that precede row `before`, newest first, in `width` columns."""
    back = np.arange(1, width + 1)  # (K,)
    real = back <= counts[:, None]  # (N, K)
    history = np.where(
        real[:, :, None], table.features[np.where(real, before[:, None] - back, 0)], 0.0
    )
    return Sessions(table.features[rows], history.reshape(len(rows), width, NUMBERS), counts)
