"""Sessions as requests, one JSON line each, read back into a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.events import MOST, numbered
from ml.statistics import COUNTS, STATISTICS, pool
from ml.windows import NUMBERS

Floats = NDArray[np.float64]


def read_requests(path: Path) -> SessionTable:
    """The sessions of a file of {"user", "session", "features", "timestamp"} lines, as `ml.windows` writes them.

    A user is a whole number in every line, or a name in every line: names are numbered in order of appearance.
    Raises OSError, or ValueError that names the file, the line, and what is wrong with it.
    """
    users: list[int | str] = []
    seconds, numbers, derived = [], [], []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                entry = _fields(json.loads(line), "a line")
                users.append(_user(entry["user"], users))
                seconds.append(_whole(entry["timestamp"], "timestamp"))
                features = _fields(entry["features"], "features")
                numbers.append([float(features[name]) for name in NUMBERS])
                windows = features.get("session_features") or []
                derived.append(pool(np.array([_window(each) for each in windows] or [_nothing()])))
            except KeyError as error:
                raise ValueError(f"{path}: line {number} lacks {error}") from error
            except (TypeError, ValueError, OverflowError) as error:
                raise ValueError(f"{path}: line {number} is no session: {error}") from error
    if not users:
        raise ValueError(f"{path}: no line holds a session")
    table = SessionTable(
        np.array(numbered(list(map(str, users))) if isinstance(users[0], str) else users),
        np.array(seconds),
        np.array(numbers, dtype=np.float64),
        np.array(derived),
    )
    if not (np.isfinite(table.features).all() and np.isfinite(table.derived_rows()).all()):
        raise ValueError(f"{path}: every number must be finite")
    return table


def _user(value: Any, before: list[Any]) -> int | str:
    """A user's number or name, whichever the users `before` have."""
    if before and isinstance(before[0], str) != isinstance(value, str):
        raise ValueError("user must be a number in every line, or a name in every line")
    return value if isinstance(value, str) else _whole(value, "user")


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not abs(float(value)) <= MOST or float(value) % 1 != 0:
        raise ValueError(f"{name} must be a whole number within 2^53, not {value!r}")
    return int(float(value))


def _fields(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, not {value!r}")
    return value


def _window(given: Any) -> Floats:
    """One window (61,) in natural units, NaN where a statistic is missing."""
    entry = _fields(given, "a window of session_features")
    statistics = _fields(entry.get("statistics") or {}, "statistics")
    counts = _fields(entry.get("counts") or {}, "counts")
    values = [statistics.get(name) for name in STATISTICS]
    return np.array(
        [
            *(float(entry[name]) for name in NUMBERS),
            *(np.nan if value is None else float(value) for value in values),
            *(float(counts.get(name, 0)) for name in COUNTS),
        ]
    )


def _nothing() -> Floats:
    return np.concatenate([np.zeros(4), np.full(len(STATISTICS), np.nan), np.zeros(len(COUNTS))])
