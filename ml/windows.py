"""Key events become sessions, each with 1 to 20 windows in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.events import Events, read_events
from ml.keystrokes import Stretches
from ml.statistics import COUNTS, STATISTICS, pool_many

MIN_EVENTS: Final = 15  # a shorter session says too little
MIN_TRANSITIONS: Final = 3
MAX_WINDOWS: Final = 20
KEYS_PER_WINDOW: Final = 50
NUMBERS: Final = (
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
)
# What a request may hold; a machine's events may lie outside.
LEAST: Final = np.array([0.0, 0.0, -1_000.0, 0.0])
GREATEST: Final = np.array([400.0, 5_000.0, 10_000.0, 100.0])
VERSION: Final = 1
DIGITS: Final = 6


@dataclass(frozen=True)
class TypedSessions:
    """N sessions with W windows in all, both in order of user and session."""

    user: NDArray[np.int64]  # (N,)
    session: NDArray[np.int64]  # (N,)
    unix_seconds: NDArray[np.int64]  # (N,)
    features: NDArray[np.float64]  # (N, 4)
    windows: NDArray[np.float64]  # (W, 61) natural units, NaN = missing
    owner: NDArray[np.int64]  # (W,) 0..N-1, ascending

    def __len__(self) -> int:
        return len(self.user)

    def table(self) -> SessionTable:
        """The sessions with their derived rows."""
        derived = pool_many(self.windows, self.owner, len(self))
        return SessionTable(self.user, self.unix_seconds, self.features, derived)

    def requests(self) -> Iterator[dict[str, Any]]:
        """One {"user", "session", "features", "timestamp"} a session; the features are those of a request."""
        ends = np.searchsorted(self.owner, np.arange(len(self)), side="right")
        start = 0
        for i, end in enumerate(ends.tolist()):
            hour = int(self.unix_seconds[i]) // 3600 % 24
            features = {**_numbers(self.features[i]), "activity_hour_preference": hour}
            windows = [as_request(window) for window in self.windows[start:end]]
            yield {
                "user": int(self.user[i]),
                "session": int(self.session[i]),
                "features": {**features, "session_features": windows},
                "timestamp": int(self.unix_seconds[i]),
            }
            start = end


def as_request(window: NDArray[np.float64]) -> dict[str, Any]:
    """A window (61,) as `session_features` hold it; what is missing or zero is left out."""
    statistics = window[4 : 4 + len(STATISTICS)].tolist()
    counts = window[4 + len(STATISTICS) :].tolist()
    return {
        **_numbers(window[:4]),
        "version": VERSION,
        "statistics": {
            name: round(value, DIGITS)
            for name, value in zip(STATISTICS, statistics, strict=True)
            if value == value  # noqa: PLR0124 - NaN is missing
        },
        "counts": {name: int(n) for name, n in zip(COUNTS, counts, strict=True) if n > 0},
    }


def read_sessions(path: Path, keys_per_window: int = KEYS_PER_WINDOW) -> SessionTable:
    """The sessions of a file of key events with their derived rows. Raises OSError or ValueError, see `read_events`."""
    return sessions_of(read_events(path), keys_per_window).table()


def required(events: Events, source: str, people: int) -> Events:
    """The events, where at least so many people have a session that counts.

    Raises ValueError that names the source, the limits and what to do about them.
    """
    typed = sessions_of(events)
    found = len(np.unique(typed.user))
    if found >= people:
        return events
    longest = int(np.bincount(events.sessions()).max(initial=0))
    some = -(-MIN_EVENTS // max(longest, 1))
    raise ValueError(
        f"{source}: {found} people have a session of {MIN_EVENTS} keys and {MIN_TRANSITIONS} transitions, "
        f"{people} are needed; the longest session has {longest} keys; help: "
        f"--join {max(some, 2)} takes so many successive sessions of a person as one"
    )


def sessions_of(events: Events, keys_per_window: int = KEYS_PER_WINDOW) -> TypedSessions:
    """The sessions of at least 15 events and 3 transitions, cut into windows of about so many keys.

    A session of n keys has n / keys_per_window windows, rounded, at least 1 and at most 20, as even as can be: 60 keys
    are one window of 60, 80 are two of 40, 5,000 are 20 of 250. No window is a short rest.
    Raises ValueError when keys_per_window is below 15.
    """
    if keys_per_window < MIN_EVENTS:
        raise ValueError(f"keys per window must be {MIN_EVENTS} or more, not {keys_per_window}")
    number = events.sessions()  # (E,)
    keys = np.bincount(number) if len(events) else number
    first = np.cumsum(keys) - keys
    whole = Stretches(events, number).windows()  # (S, 61)
    pairs = whole[:, 4 + len(STATISTICS) + COUNTS.index("pairs")]
    sound = (keys >= MIN_EVENTS) & (pairs >= MIN_TRANSITIONS) & (whole[:, 0] > 0)
    cut = np.clip(np.floor(keys / keys_per_window + 0.5), 1, MAX_WINDOWS).astype(np.int64)
    cut[~sound] = 0
    place = np.arange(len(events)) - first[number]
    window = (np.cumsum(cut) - cut)[number] + place * cut[number] // np.maximum(keys[number], 1)
    windows = Stretches(events, np.where(sound[number], window, -1)).windows()
    windows[:, :4] = np.clip(windows[:, :4], LEAST, GREATEST)
    chosen = first[sound]
    return TypedSessions(
        events.user[chosen],
        events.session[chosen],
        events.start_ms[chosen] // 1000,
        np.clip(whole[sound, :4], LEAST, GREATEST),
        windows,
        np.repeat(np.arange(int(sound.sum())), cut[sound]),
    )


def _numbers(numbers: NDArray[np.float64]) -> dict[str, float]:
    return {
        name: round(value, DIGITS) for name, value in zip(NUMBERS, numbers.tolist(), strict=True)
    }
