"""What each pattern of a batch is compared with: the server's records first, else what the caller brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.sessions import NUMBERS, Sessions
from ml.statistics import COUNTED, DERIVED, WINDOWS, enough, pool_many
from worker.contract import WINDOW_NUMBERS
from worker.history import SECONDS_A_DAY
from worker.records import GREATEST_COUNT, Records, derived_of

Row = list[Any]
Floats = NDArray[np.float64]
SECONDS_AN_HOUR = 3600.0
MOST_WINDOWS = 20  # as many as a request may have
IDLE_DAYS = 7


@dataclass(frozen=True)
class Comparison:
    """B patterns with their pasts. `recorded` (B,): how many patterns of its past the server itself recorded.

    `full` (B,): as many patterns as may enter in 24 hours have entered already. `idle` (B,): none has entered for a
    week.
    """

    sessions: Sessions
    recorded: NDArray[np.int64]
    full: NDArray[np.bool_]
    idle: NDArray[np.bool_]

    def sources(self) -> list[str]:
        """Whose history each row was compared with: "server", "caller" or "none"."""
        pairs = zip(self.recorded.tolist(), self.sessions.counts.tolist(), strict=True)
        return ["server" if own else "caller" if used else "none" for own, used in pairs]


@dataclass(frozen=True)
class Typed:
    """B patterns as columns. `brought`: by row, the history that the caller sent with it, as the wire has it.

    `windows`: each row's, or None where no row has any. `timeless`: rows whose score depends on no time.
    """

    numbers: NDArray[np.float64]  # (B, 4) wpm, hold_ms, transition_ms, error_percent
    brought: Sequence[tuple[int, Any]] = ()
    windows: Sequence[Any] | None = None
    timeless: Sequence[int] = ()

    @cached_property
    def derived(self) -> Floats | None:
        """The derived rows (B, 58) of the windows; None where no row has rich ones."""
        return None if self.windows is None else _derived(self.windows)

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Typed:
        """Rows of the wire."""
        return cls(
            np.array([row[1][:4] for row in rows], dtype=np.float64).reshape(-1, NUMBERS),
            [(i, row[2]) for i, row in enumerate(rows) if row[2]],
            [row[3] for row in rows],
            # A score for a chain may depend on nothing but what its digests cover, and times are none of it.
            [i for i, row in enumerate(rows) if len(row) > 4],
        )


def beside(
    typed: Typed,
    records: Records,
    recorded: NDArray[np.int64],
    now: NDArray[np.float64],
    quota: int,
    entering: NDArray[np.float64] | None = None,
) -> Comparison:
    """Patterns beside their records (B, K), newest first, of which `recorded` (B,) count.

    `now` (B,): when each was typed, in Unix seconds. `quota`: of how many a history takes within 24 hours, 0 for any.
    `entering` (B,): the time under which each would enter, where that is another.
    """
    brought = [(i, patterns) for i, patterns in typed.brought if not recorded[i]]
    rows = len(typed.numbers)
    own = records.shape[1]
    width = max(own, max((len(patterns) for _, patterns in brought), default=0))
    history = np.zeros((rows, width, NUMBERS))  # (B, K, 4)
    seconds = np.zeros((rows, width))  # (B, K)
    history[:, :own] = records["features"]
    seconds[:, :own] = records["seconds"]
    counts = recorded.copy() if brought else recorded
    for i, patterns in brought:
        counts[i] = len(patterns)
        history[i, : counts[i]] = [entry[1:5] for entry in patterns]
        seconds[i, : counts[i]] = [entry[0] for entry in patterns]
    ages_hours = np.abs(now[:, None] - seconds) / SECONDS_AN_HOUR
    full = np.zeros(rows, dtype=np.bool_)
    if 0 < quota <= own:
        when = now if entering is None else entering
        full = (recorded >= quota) & (np.abs(when - seconds[:, quota - 1]) < SECONDS_A_DAY)
    idle = np.zeros(rows, dtype=np.bool_)
    if own:  # a backlog of last year finds no history idle
        idle = (recorded > 0) & (now - seconds[:, 0] >= IDLE_DAYS * SECONDS_A_DAY)
    if typed.timeless:
        ages_hours[typed.timeless] = 0.0
    sessions = Sessions(
        typed.numbers,
        history,
        counts,
        typed.derived,
        _past_derived(records, brought, width),
        ages_hours,
    )
    return Comparison(sessions, recorded, full, idle)


def _derived(sessions: Sequence[Any]) -> Floats | None:
    """The derived rows (B, 58) of sessions' windows; None where no session has a rich window.

    A session that holds too little has a row of zeros, and no count goes beyond what a history keeps: neither saying
    almost nothing nor claiming to have counted a lot is worth anything.
    """
    rich = [
        (i, found)
        for i, windows in enumerate(sessions)
        if windows and (found := [each for each in windows if len(each) == WINDOW_NUMBERS])
    ]
    if not rich:
        return None
    derived = np.zeros((len(sessions), DERIVED))
    flat = [window for _, windows in rich for window in windows]
    owner = np.repeat(np.arange(len(rich)), [len(windows) for _, windows in rich])
    pooled = pool_many(np.array(flat, dtype=np.float64), owner, len(rich))
    pooled[:, COUNTED] = pooled[:, COUNTED].clip(0, GREATEST_COUNT)
    pooled[:, WINDOWS] = pooled[:, WINDOWS].clip(0, MOST_WINDOWS)
    pooled[~enough(pooled)] = 0.0
    derived[[i for i, _ in rich]] = pooled
    return derived


def _past_derived(
    records: Records, brought: Sequence[tuple[int, Any]], width: int
) -> Floats | None:
    """The derived rows (B, K, 58) of the pasts; None where none of them has one."""
    own = derived_of(records)
    places = [(i, k) for i, patterns in brought for k in range(len(patterns))]
    windows = [
        entry[5] if len(entry) > 5 else None for _, patterns in brought for entry in patterns
    ]
    others = _derived(windows)
    if own is None and others is None:
        return None
    past = np.zeros((len(records), width, DERIVED))
    if own is not None:
        past[:, : own.shape[1]] = own
    if others is not None:
        for (i, k), row in zip(places, others, strict=True):
            past[i, k] = row
    return past
