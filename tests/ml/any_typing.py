"""Key events of invented typing, and the files that hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ml.events import CODE, COLUMNS, KEYS, Events

Event = tuple[float, float, str]


def even_typing(keys: str) -> list[Event]:
    """One key every 200 ms, each held for 80 ms."""
    return [(200 * i, 200 * i + 80, key) for i, key in enumerate(keys)]


def any_typing(count: int, rng: np.random.Generator) -> list[Event]:
    """Keys of every kind with pauses and overlaps, in whole ms."""
    likely = np.array([3.0] * 26 + [0.3] * 10 + [14, 6, 1, 5, 0.5, 0.5, 1, 0.5, 0.5, 4])
    keys = rng.choice(KEYS, count, p=likely / likely.sum())
    press = np.cumsum(rng.choice([0, 12, 60, 150, 220, 480, 1_700, 5_000], count))
    release = press + rng.choice([-5, 0, 40, 80, 130, 300, 1_700], count)
    return list(zip(press.tolist(), release.tolist(), keys.tolist(), strict=True))


def events_of(sessions: dict[tuple[int, int], list[Event]]) -> Events:
    """All sessions as one table; the keys of `sessions` are (user, session)."""
    rows = [
        (user, session, 1_500_000_000_000 + 60_000 * session, *event)
        for (user, session), events in sorted(sessions.items())
        for event in events
    ]
    user, session, start, press, release, key = zip(*rows, strict=True)
    codes = np.array([CODE[name] for name in key])
    down, up = np.array(press, dtype=np.float64), np.array(release, dtype=np.float64)
    return Events(np.array(user), np.array(session), np.array(start), down, up, codes)


def write_events(path: Path, sessions: dict[tuple[int, int], list[Event]]) -> Path:
    """The same as a file."""
    lines = [COLUMNS]
    for (user, session), events in sessions.items():
        start = 1_500_000_000_000 + 60_000 * session
        lines += [f"{user},{session},{start},{p},{r},{key}" for p, r, key in events]
    path.write_text("\n".join(lines) + "\n")
    return path
