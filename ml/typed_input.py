"""Sessions as requests, one JSON line each, read back into a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.statistics import COUNTS, STATISTICS, pool
from ml.windows import NUMBERS

Floats = NDArray[np.float64]


def read_requests(path: Path) -> SessionTable:
    """The sessions of a file of {"user", "session", "features", "timestamp"} lines, as `ml.windows` writes them.

    Raises OSError, or ValueError that names the file, the line, and what is wrong with it.
    """
    users, seconds, numbers, derived = [], [], [], []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                users.append(int(entry["user"]))
                seconds.append(int(entry["timestamp"]))
                features = entry["features"]
                numbers.append([float(features[name]) for name in NUMBERS])
                windows = features.get("session_features") or []
                derived.append(pool(np.array([_window(each) for each in windows] or [_nothing()])))
            except KeyError as error:
                raise ValueError(f"{path}: line {number} lacks {error}") from error
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}: line {number} is no session: {error}") from error
    if not users:
        raise ValueError(f"{path}: no line holds a session")
    table = SessionTable(
        np.array(users), np.array(seconds), np.array(numbers, dtype=np.float64), np.array(derived)
    )
    if not (np.isfinite(table.features).all() and np.isfinite(table.derived_rows()).all()):
        raise ValueError(f"{path}: every number must be finite")
    return table


def _window(entry: dict[str, Any]) -> Floats:
    """One window (61,) in natural units, NaN where a statistic is missing."""
    statistics, counts = entry.get("statistics") or {}, entry.get("counts") or {}
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
