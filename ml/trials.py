"""Comparisons to train and to measure on: a session, the history it is held against, and whether it is genuine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.samples import Samples
from ml.sessions import Sessions

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Trials:
    """N comparisons. `user` is the person whose history it is."""

    sessions: Sessions  # N patterns
    genuine: NDArray[np.bool_]  # (N,)
    user: NDArray[np.int64]  # (N,)

    def __len__(self) -> int:
        return len(self.genuine)

    def rows(self, chosen: Rows | NDArray[np.bool_]) -> Trials:
        """The chosen comparisons."""
        return Trials(self.sessions[chosen], self.genuine[chosen], self.user[chosen])


def labelled(samples: Samples, longest: int, rng: np.random.Generator | None = None) -> Trials:
    """Every sample against the earlier legitimate sessions of the person that it claims to be, newest first.

    All of them up to `longest`, or a random number of them where `rng` is given. Samples without a past are left out.
    """
    own = samples.genuine().sorted()
    claims = samples.sessions
    keys = _time_keys(own, claims)
    before = np.searchsorted(keys[0], keys[1])  # sessions of that person or of lesser numbers
    past = before - np.searchsorted(own.user, claims.user)
    some = past > 0
    counts = np.minimum(past[some], longest)
    if rng is not None:
        counts = rng.integers(1, counts + 1)
    sessions = _against(claims.rows(some), own, before[some], counts, longest)
    return Trials(sessions, samples.legitimate[some], claims.user[some])


def zero_effort(table: SessionTable, longest: int, rng: np.random.Generator) -> Trials:
    """For every session with a past, a random session of a random other person in its place: impostors only.

    The history is of a random length from 1 to `longest` or to all the past there is.
    """
    table = table.sorted()
    past = np.arange(len(table)) - np.searchsorted(table.user, table.user)
    rows = np.flatnonzero(past > 0)
    others = rng.integers(0, len(table), len(rows))
    kept = table.user[others] != table.user[rows]
    rows, others = rows[kept], others[kept]
    counts = rng.integers(1, np.minimum(past[rows], longest) + 1)
    sessions = _against(table.rows(others), table, rows, counts, longest)
    return Trials(sessions, np.zeros(len(rows), dtype=bool), table.user[rows])


def enrolled(table: SessionTable, enrol: int, impostors: int, rng: np.random.Generator) -> Trials:
    """The verification protocol: every person's first `enrol` sessions are the history of all comparisons with them.

    Genuine are the person's later sessions; impostors are one later session of each of `impostors` random other people.
    People without a later session are left out. With enrol = 0 nobody has a history.
    Raises ValueError when fewer than two people are left.
    """
    table = table.sorted()
    starts = np.flatnonzero(np.diff(table.user, prepend=table.user[:1] - 1))
    lengths = np.diff(starts, append=len(table))
    starts, lengths = starts[lengths > enrol], lengths[lengths > enrol]
    if len(starts) < 2:
        raise ValueError(f"{len(starts)} users with more than {enrol} sessions; 2 are needed")
    later = lengths - enrol
    own = np.repeat(np.arange(len(starts)), later)
    nth = np.arange(len(own)) - np.repeat(np.cumsum(later) - later, later)
    victim = np.repeat(np.arange(len(starts)), impostors)
    other = (victim + rng.integers(1, len(starts), len(victim))) % len(starts)
    drawn = starts[other] + enrol + rng.integers(0, later[other])
    rows = np.concatenate([starts[own] + enrol + nth, drawn])
    claimed = np.concatenate([own, victim])
    counts = np.full(len(rows), enrol, dtype=np.int64)
    sessions = _against(table.rows(rows), table, starts[claimed] + enrol, counts, enrol)
    return Trials(sessions, np.arange(len(rows)) < len(own), table.user[starts[claimed]])


def together(parts: list[Trials]) -> Trials:
    """All comparisons of `parts`, whose histories are equally wide."""
    return Trials(
        Sessions(
            np.concatenate([part.sessions.current for part in parts]),
            np.concatenate([part.sessions.history for part in parts]),
            np.concatenate([part.sessions.counts for part in parts]),
            _joined([part.sessions.derived for part in parts]),
            _joined([part.sessions.past_derived for part in parts]),
        ),
        np.concatenate([part.genuine for part in parts]),
        np.concatenate([part.user for part in parts]),
    )


def _joined(parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if len(given) == len(parts) else None


def _time_keys(own: SessionTable, claims: SessionTable) -> tuple[Rows, Rows]:
    """One ascending number for (user, time) in each table."""
    users = np.union1d(own.user, claims.user)
    seconds = np.concatenate([own.unix_seconds, claims.unix_seconds])
    least = int(seconds.min(initial=0))
    span = int(seconds.max(initial=0)) - least + 1
    first, second = (
        np.searchsorted(users, table.user) * span + (table.unix_seconds - least)
        for table in (own, claims)
    )
    return first, second


def _against(
    claims: SessionTable, table: SessionTable, before: Rows, counts: Rows, width: int
) -> Sessions:
    """N sessions against the `counts` rows of `table` before row `before`, newest first, in `width` columns."""
    back = np.arange(1, width + 1)  # (K,)
    real = back <= counts[:, None]  # (N, K)
    rows = np.where(real, before[:, None] - back, 0)
    history = np.where(real[:, :, None], table.features[rows], 0.0)  # (N, K, 4)
    if table.derived is None:
        return Sessions(claims.features, history, counts)
    past = np.where(real[:, :, None], table.derived[rows], 0.0)  # (N, K, 58)
    return Sessions(claims.features, history, counts, claims.derived_rows(), past)
