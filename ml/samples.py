"""Labelled samples: sessions that claim to be a user's, and whether they are. The CSV of the scripts.

| column | meaning |
|---|---|
| user | number of the person that the session claims to be |
| unix_seconds | when it was typed |
| typing_speed_wpm, avg_key_hold_time_ms, avg_transition_time_ms, error_rate_percent | as in a request |
| activity_hour_preference | hour of the day, 0-23, UTC |
| legitimate | 1: typed by that person, 0: by an impostor |
| kind | genuine, other (another person), bot, replay, mimic |

Then, where sessions have windows, what `ml.statistics` says of them: 34 statistics in natural units (empty = missing),
23 counts named count_keys and so on, and windows, their number. Bots and mimics know the four numbers only.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml import attacks
from ml.aalto import TypingFigures
from ml.dataset import SessionTable, concatenate_rows
from ml.statistics import COUNTS, STATISTICS, VALUES, even, natural
from ml.synthetic import people

COLUMNS: Final = (
    "user",
    "unix_seconds",
    "typing_speed_wpm",
    "avg_key_hold_time_ms",
    "avg_transition_time_ms",
    "error_rate_percent",
    "activity_hour_preference",
    "legitimate",
    "kind",
)
DERIVED_COLUMNS: Final = (*STATISTICS, *(f"count_{name}" for name in COUNTS), "windows")
GENUINE: Final = "genuine"
OTHER: Final = "other"
# What impostors do, and how often. Most of them are simply other people.
KINDS: Final = {OTHER: 0.80, "bot": 0.10, "replay": 0.05, "mimic": 0.05}
SHORTEST, LONGEST = 12, 60  # sessions of one synthetic person
MOST = 2**53  # greater whole numbers are no longer exact in float64
DIGITS: Final = 6  # of the four numbers: an error rate tells its keys by the sixth
MIN_USERS = 2  # an impostor needs to be somebody else


@dataclass(frozen=True)
class Samples:
    """N labelled sessions in the order of user and time; `user` is whom the session claims to be."""

    sessions: SessionTable  # N rows
    kind: NDArray[np.str_]  # (N,)

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def legitimate(self) -> NDArray[np.bool_]:
        """Which rows (N,) were typed by the person they claim to be."""
        return np.asarray(self.kind == GENUINE)

    def plain(self) -> Samples:
        """The same with four numbers only."""
        return Samples(self.sessions.plain(), self.kind)

    def genuine(self) -> SessionTable:
        """The rows of the people themselves."""
        return self.sessions.rows(self.legitimate)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Samples:
        """The chosen rows."""
        return Samples(self.sessions.rows(chosen), self.kind[chosen])


def generate(
    figures: TypingFigures, count: int, legitimate_ratio: float, rng: np.random.Generator
) -> Samples:
    """`count` samples of synthetic people, the given share of them legitimate.

    Raises ValueError when the ratio is not between 0 and 1 or when that leaves fewer than two people.
    """
    if count < 1:
        raise ValueError(f"samples must be 1 or more, not {count}")
    if not 0.0 < legitimate_ratio <= 1.0:
        raise ValueError(f"legitimate ratio must be above 0 and at most 1, not {legitimate_ratio}")
    legitimate = round(count * legitimate_ratio)
    lengths = _lengths(legitimate, rng)
    if len(lengths) < MIN_USERS:
        raise ValueError(f"{count} samples leave {len(lengths)} users; ask for 200 or more")
    own = people(figures, lengths, rng)
    false, kinds = _impostors(own, count - legitimate, rng)
    joined = concatenate_rows([own, false])
    kind = np.concatenate([np.full(len(own), GENUINE), kinds])
    order = np.lexsort((joined.unix_seconds, joined.user))
    return Samples(joined, kind).rows(order)


def write(samples: Samples, path: Path, progress: Callable[[int], None]) -> None:
    """Write `samples` as CSV with `COLUMNS`; the folder is made. `progress` is told the rows written so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = samples.sessions
    hours = table.unix_seconds // 3600 % 24
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        derived = None if table.derived is None else _texts(table.derived)
        writer.writerow(COLUMNS if derived is None else (*COLUMNS, *DERIVED_COLUMNS))
        for i, kind in enumerate(samples.kind.tolist()):
            numbers = [f"{number:.{DIGITS}f}" for number in table.features[i]]
            row = [table.user[i], table.unix_seconds[i], *numbers, hours[i]]
            more = [] if derived is None else derived[i]
            writer.writerow([*row, int(kind == GENUINE), kind, *more])
            if i % 1_000 == 0 or i + 1 == len(samples):
                progress(i + 1)


def read(path: Path) -> Samples:
    """The samples of a CSV with `COLUMNS`, in any order of rows; `kind` may be missing.

    Raises OSError, or ValueError that names the file, the line where there is one, and what is wrong with it.
    """
    try:
        return _parse(path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: not a CSV file in UTF-8: {error}") from error


def _parse(path: Path) -> Samples:
    rows, kinds, derived = [], [], []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is None:
            raise ValueError(f"{path}: the file is empty")
        missing = [c for c in COLUMNS[:8] if c not in reader.fieldnames]
        if missing:
            raise ValueError(f"{path}: columns are missing: {', '.join(missing)}")
        rich = set(DERIVED_COLUMNS) <= set(reader.fieldnames)
        for number, entry in enumerate(reader, start=2):
            try:
                rows.append([float(entry[c]) for c in COLUMNS[:6]])
                if rich:
                    derived.append([float(entry[c] or "nan") for c in DERIVED_COLUMNS])
                legitimate = {"1": True, "0": False}[entry["legitimate"]]
            except (TypeError, ValueError, KeyError) as error:
                raise ValueError(f"{path}: line {number} cannot be read: {error}") from error
            kinds.append(GENUINE if legitimate else entry.get("kind") or OTHER)
    if not rows:
        raise ValueError(f"{path}: no line follows the names of the columns")
    values = np.array(rows, dtype=np.float64)  # (N, 6)
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: every number must be finite")
    if np.abs(values[:, :2]).max() > MOST:
        raise ValueError(f"{path}: user and unix_seconds must lie within 2^53")
    integers = values[:, :2].astype(np.int64)
    found = _derived(np.array(derived, dtype=np.float64)) if rich else None
    if found is not None and not np.isfinite(found).all():
        raise ValueError(f"{path}: every statistic must be finite or empty, every count finite")
    table = SessionTable(integers[:, 0], integers[:, 1], values[:, 2:], found)
    return Samples(table, np.array(kinds, dtype=np.str_))


def _texts(derived: NDArray[np.float64]) -> list[list[str]]:
    statistics = natural(derived[:, VALUES])
    counts = derived[:, VALUES.stop :].astype(np.int64)
    return [
        [*("" if np.isnan(value) else f"{value:.6g}" for value in row), *map(str, whole)]
        for row, whole in zip(statistics.tolist(), counts.tolist(), strict=True)
    ]


def _derived(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """The derived rows (N, 58) of `DERIVED_COLUMNS`; an empty count is zero."""
    whole = np.nan_to_num(columns[:, VALUES.stop :], posinf=np.inf)
    return np.concatenate([even(columns[:, VALUES]), whole], axis=1)


def _lengths(sessions: int, rng: np.random.Generator) -> NDArray[np.int64]:
    drawn = rng.integers(SHORTEST, LONGEST + 1, sessions // SHORTEST + 1)
    ends = np.cumsum(drawn)
    users = int(np.searchsorted(ends, sessions)) + 1
    lengths = drawn[:users]
    lengths[-1] -= ends[users - 1] - sessions
    return lengths


def _impostors(
    own: SessionTable, count: int, rng: np.random.Generator
) -> tuple[SessionTable, NDArray[np.str_]]:
    """Sessions that claim to be a random person's, right after a random session of that person."""
    kinds = rng.choice(list(KINDS), count, p=list(KINDS.values()))
    after = rng.integers(0, len(own), count)
    drawn = rng.integers(0, len(own), count)
    while (same := own.user[drawn] == own.user[after]).any():
        drawn[same] = rng.integers(0, len(own), int(same.sum()))
    features, derived = own.features[drawn], own.derived_rows()[drawn]
    for kind, made in (
        ("bot", attacks.bots(count, rng)),
        ("replay", attacks.replays(own.features[after], rng)),
        ("mimic", attacks.mimics(_means(own)[own.user[after]], rng)),
    ):
        features[kinds == kind] = made[kinds == kind]
        derived[kinds == kind] = 0.0
    replayed = kinds == "replay"
    derived[replayed] = own.derived_rows()[after][replayed]
    table = SessionTable(own.user[after], own.unix_seconds[after] + 1, features, derived)
    return table, kinds


def _means(own: SessionTable) -> NDArray[np.float64]:
    return np.array([features.mean(axis=0) for features in own.by_user()])
