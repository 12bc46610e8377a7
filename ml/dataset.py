"""Tables of genuine sessions, and their split by user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.sessions import NUMBERS
from ml.statistics import DERIVED

# A fixed odd multiplier spreads consecutive user numbers evenly (Knuth, TAOCP 3, 6.4: the golden ratio of 2^64).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class SessionTable:
    """N genuine sessions, real or synthetic, in any order."""

    user: NDArray[np.int64]  # (N,)
    unix_seconds: NDArray[np.int64]  # (N,)
    features: NDArray[np.float64]  # (N, 4) wpm, hold_ms, transition_ms, error_percent
    derived: NDArray[np.float64] | None = None  # (N, 58) see ml.statistics; zeros = the four only

    def __post_init__(self) -> None:
        rows = len(self.user)
        if self.derived is not None and self.derived.shape != (rows, DERIVED):
            raise ValueError(f"derived must be {(rows, DERIVED)}, not {self.derived.shape}")
        if self.unix_seconds.shape != (rows,) or self.features.shape != (rows, NUMBERS):
            raise ValueError("user, unix_seconds and features must have as many rows")

    def __len__(self) -> int:
        return len(self.user)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> SessionTable:
        """The chosen rows as a table of their own."""
        derived = None if self.derived is None else self.derived[chosen]
        return SessionTable(
            self.user[chosen], self.unix_seconds[chosen], self.features[chosen], derived
        )

    def plain(self) -> SessionTable:
        """The same sessions with their four numbers only."""
        return SessionTable(self.user, self.unix_seconds, self.features)

    def derived_rows(self) -> NDArray[np.float64]:
        """The derived rows (N, 58), of zeros where there are none."""
        return np.zeros((len(self), DERIVED)) if self.derived is None else self.derived

    def sorted(self) -> SessionTable:
        """The same rows, user by user, each user's in order of time; ties keep their order."""
        return self.rows(np.lexsort((self.unix_seconds, self.user)))

    def users(self) -> NDArray[np.int64]:
        """Every user once, ascending."""
        return np.unique(self.user)

    def by_user(self) -> Iterator[NDArray[np.float64]]:
        """Each user's features (n, 4) in order of time, users ascending."""
        table = self.sorted()
        starts = np.flatnonzero(np.diff(table.user, prepend=table.user[:1] - 1))
        yield from np.split(table.features, starts[1:]) if len(table) else []


def concatenate_rows(tables: list[SessionTable]) -> SessionTable:
    """All tables' rows; the same number is the same user."""
    return SessionTable(
        np.concatenate([table.user for table in tables]),
        np.concatenate([table.unix_seconds for table in tables]),
        np.concatenate([table.features for table in tables]),
        _derived(tables),
    )


def concatenate_people(tables: list[SessionTable]) -> SessionTable:
    """All tables' rows; users are numbered anew, so that no two tables share one."""
    renumbered, offset = [], 0
    for table in tables:
        distinct, number = np.unique(table.user, return_inverse=True)
        user = number.astype(np.int64) + offset
        renumbered.append(SessionTable(user, table.unix_seconds, table.features, table.derived))
        offset += len(distinct)
    return concatenate_rows(renumbered)


def _derived(tables: list[SessionTable]) -> NDArray[np.float64] | None:
    if all(table.derived is None for table in tables):
        return None
    return np.concatenate([table.derived_rows() for table in tables])


def held_out(user: NDArray[np.int64], share: float, seed: int = 0) -> NDArray[np.bool_]:
    """Which rows belong to held-out users: a hash of the user's number decides, so a user is never split.

    The same user falls on the same side whatever else the table holds; about `share` of the users are held out.
    """
    with np.errstate(over="ignore"):
        mixed = (user.astype(np.uint64) + np.uint64(seed + 1)) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(32))) * _GOLDEN
    return (mixed >> np.uint64(11)).astype(np.float64) / 2.0**53 < share
