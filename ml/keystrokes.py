"""Key events become sessions: the four summary numbers of each sentence.

Definitions, over the keys of one sentence in the order they were pressed, modifiers (shift, ctrl, alt, caps lock) left
out of holds and transitions:

- hold: mean of release - press, each clipped to 0..1,000 ms;
- transition: mean of the next press - this release, -1,000..1,500 ms; longer pauses are dropped, overlaps count;
- speed: 12,000 (n - 1) / sum of the press-to-press gaps of all n keys, each gap clipped to 2,000 ms; 12,000 because a
  word is five keys and a minute 60,000 ms;
- errors: backspaces and deletes in % of all keys.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable

COLUMNS = "user,session,start_unix_ms,press_ms,release_ms,key"
MODIFIERS = frozenset({"shift", "ctrl", "alt", "capslock"})
CORRECTIONS = frozenset({"backspace", "delete"})
MIN_EVENTS = 15  # a shorter sentence says too little
MIN_TRANSITIONS = 3
WORD_MS = 12_000.0


def read_sessions(path: Path) -> SessionTable:
    """One row a sentence of at least 15 events, times in seconds since 1970, from `COLUMNS` as CSV, gzipped or not.

    Raises FileNotFoundError, or ValueError when the columns are others.
    """
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        header = file.readline().strip()
        if header != COLUMNS:
            raise ValueError(f"{path}: columns are {header!r}, not {COLUMNS!r}")
        *numbers, keys = zip(*(line.rstrip("\n").split(",") for line in file), strict=True)
    user, session, start, press, release = (np.array(c, dtype=np.int64) for c in numbers)
    named, code = np.unique(np.array(keys), return_inverse=True)
    modifier = np.isin(named, list(MODIFIERS))[code]
    correction = np.isin(named, list(CORRECTIONS))[code]
    order = np.lexsort((press, session, user))
    bounds = np.flatnonzero(np.diff(user[order]) | np.diff(session[order])) + 1
    rows = []
    for chosen in np.split(order, bounds):
        numbers4 = summarise(press[chosen], release[chosen], modifier[chosen], correction[chosen])
        if numbers4 is not None:
            rows.append((user[chosen[0]], start[chosen[0]] // 1000, *numbers4))
    table = np.array(rows, dtype=np.float64)
    return SessionTable(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:])


def summarise(
    press: NDArray[np.int64],
    release: NDArray[np.int64],
    modifier: NDArray[np.bool_],
    correction: NDArray[np.bool_],
) -> tuple[float, float, float, float] | None:
    """The four numbers of one sentence's n keys in order of press (ms); None where they are too few to say anything."""
    if len(press) < MIN_EVENTS:
        return None
    gaps = np.minimum(np.diff(press), 2_000).sum()
    plain_press, plain_release = press[~modifier], release[~modifier]
    transitions = plain_press[1:] - plain_release[:-1]
    transitions = transitions[(transitions >= -1_000) & (transitions <= 1_500)]
    if gaps <= 0 or len(transitions) < MIN_TRANSITIONS:
        return None
    speed = WORD_MS * (len(press) - 1) / gaps
    hold = np.clip(plain_release - plain_press, 0, 1_000).mean()
    errors = 100.0 * correction.mean()
    return float(speed), float(hold), float(transitions.mean()), float(errors)
