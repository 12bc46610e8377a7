"""Key events as a recorder writes them: CSV, one row an event, gzipped or not.

| column | meaning |
|---|---|
| user | number of the person; or a name, if the first line has a name: numbered in order of appearance |
| session | number of the session, each of a person's its own |
| start_unix_ms | clock of the session's first key press, ms since 1970 (UTC) |
| press_ms, release_ms | ms since that first press; may have decimals |
| key | a-z, 0-9, space, backspace, delete, shift, ctrl, alt, capslock, tab, enter; any other name counts as `other` |
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

COLUMNS: Final = "user,session,start_unix_ms,press_ms,release_ms,key"
OTHER: Final = "other"
KEYS: Final = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("space", "backspace", "delete", "shift", "ctrl", "alt", "capslock", "tab", "enter", OTHER),
)
CODE: Final = {key: code for code, key in enumerate(KEYS)}
MOST: Final = 2**53  # greater whole numbers are no longer exact in float64
_NUMBERS: Final = 5


@dataclass(frozen=True)
class Events:
    """E key events: user by user, session by session, in order of press; ties keep the order of the file."""

    user: NDArray[np.int64]  # (E,)
    session: NDArray[np.int64]  # (E,)
    start_ms: NDArray[np.int64]  # (E,)
    press: NDArray[np.float64]  # (E,) ms
    release: NDArray[np.float64]  # (E,) ms
    key: NDArray[np.int64]  # (E,) place in KEYS
    piece: NDArray[np.int64] | None = (
        None  # (E,) of a session that was typed in several; no pair crosses an edge
    )

    def __len__(self) -> int:
        return len(self.user)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Events:
        """The chosen events."""
        return Events(
            self.user[chosen],
            self.session[chosen],
            self.start_ms[chosen],
            self.press[chosen],
            self.release[chosen],
            self.key[chosen],
            None if self.piece is None else self.piece[chosen],
        )

    def sessions(self) -> NDArray[np.int64]:
        """The number (E,) of each event's session, 0 for the first in the table."""
        return self._counted(self._edges())

    def pieces(self) -> NDArray[np.int64]:
        """The number (E,) of each event's piece: its session, or what was typed at a stretch in one."""
        if self.piece is None:
            return self.sessions()
        return self._counted(self._edges() | (np.diff(self.piece) != 0))

    def _edges(self) -> NDArray[np.bool_]:
        return np.asarray((np.diff(self.user) != 0) | (np.diff(self.session) != 0))

    def _counted(self, edges: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(edges)]) if len(self) else self.user


def read_events(path: Path) -> Events:
    """The events of a file.

    Raises OSError, or ValueError that names the file, the line where there is one, and what is wrong with it.
    """
    try:
        with _open(path) as file:
            header = file.readline().strip().removeprefix("\ufeff")
            if header != COLUMNS:
                raise ValueError(f"{path}: columns are {header!r}, not {COLUMNS!r}")
            try:
                parts = [line.rstrip("\r\n").split(",") for line in file]
                users, *numbers, keys = zip(*parts, strict=True)
                if not _is_number(users[0]):
                    users = numbered(users)
                values = np.array([users, *numbers], dtype=np.float64)  # (5, E)
            except ValueError as error:
                raise ValueError(f"{path}: {_complaint(path)}") from error
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: not a table of key events in UTF-8: {error}") from error
    whole = values[:3]
    if not np.isfinite(values).all() or np.abs(values).max() > MOST or (whole % 1 != 0).any():
        raise ValueError(f"{path}: {_complaint(path)}")
    user, session, start = whole.astype(np.int64)
    named, place = np.unique(np.array(keys), return_inverse=True)
    key = np.array([CODE.get(str(name), CODE[OTHER]) for name in named])[place]
    order = np.lexsort((values[3], session, user))
    events = Events(user, session, start, values[3], values[4], key).rows(order)
    _refuse_two_starts(path, events, order)
    return events


def numbered(names: Sequence[str]) -> tuple[int, ...]:
    """Names as numbers, in order of appearance. Raises ValueError for an empty one."""
    if "" in names:
        raise ValueError("a user has no name")
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return tuple(place[name] for name in names)


def _refuse_two_starts(path: Path, events: Events, order: NDArray[np.int64]) -> None:
    """Two sessions of one number would be read as one, their keys interleaved."""
    other = np.flatnonzero((np.diff(events.sessions()) == 0) & (np.diff(events.start_ms) != 0))
    if not len(other):
        return
    lines = np.sort(np.stack([order[other], order[other + 1]]), axis=0) + 2  # (2, faults)
    one, again = lines[:, lines[1].argmin()].tolist()
    raise ValueError(
        f"{path}: line {again}: start_unix_ms is not that of line {one}, of the same user and session; "
        "help: give each session of a user its own number"
    )


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def _complaint(path: Path) -> str:
    """What is wrong with the first line that is no event; looked for only after reading has failed."""
    named = False
    with _open(path) as file:
        file.readline()
        for number, line in enumerate(file, start=2):
            fields = line.rstrip("\r\n").split(",")
            if len(fields) != _NUMBERS + 1:
                return f"line {number} has {len(fields)} fields, not {_NUMBERS + 1}"
            named = named or (number == 2 and not _is_number(fields[0]))
            if named and not fields[0]:
                return f"line {number}: user is empty; help: give a number or a name"
            columns = list(zip(COLUMNS.split(",")[:_NUMBERS], fields, strict=False))
            for name, field in columns[named:]:
                if fault := _fault(name, field):
                    return f"line {number}: {fault}"
    return "no line follows the names of the columns"


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _fault(name: str, field: str) -> str | None:
    try:
        value = float(field)
    except ValueError:
        return f"{name} must be a number, not {field!r}"
    if not math.isfinite(value) or abs(value) > MOST:
        return f"{name} must lie within 2^53, not {field!r}"
    if name in COLUMNS.split(",")[:3] and value % 1 != 0:
        return f"{name} must be a whole number, not {field!r}"
    return None
