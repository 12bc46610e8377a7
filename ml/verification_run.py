"""A whole verification: rows, curves, the blind row and the attacks, as one report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ml import pictures
from ml.attacked import attack
from ml.cuts import together
from ml.dataset import SessionTable
from ml.defended import Service
from ml.enrolled import Enrolled, enrol
from ml.events import Events
from ml.protocol import (
    IMPOSTORS,
    IMPOSTORS_TOGETHER,
    Row,
    Setting,
    first_of,
    first_sessions,
    looked_up,
    rows_of,
    rows_of_table,
)
from ml.scorer import Scorer
from ml.verification import RESAMPLES, Measured, blind, measure
from ml.windows import required, sessions_of

LENGTHS: Final = (1, 3, 5, 10)  # patterns of history
SENTENCES: Final = (1, 2, 3, 5)  # typed in one session
DRAWN: Final = {"four_one", "rich_one", "rich_window", "rich_five"}
CURVES: Final = ("det-history.png", "det-keys.png")


@dataclass(frozen=True)
class Study:
    """Who is judged: key events, or a table of sessions where there are none; and whom an attacker has seen."""

    name: str
    table: SessionTable
    others: SessionTable | None  # None: nobody but the judged
    events: Events | None
    unit: str  # what the study calls a session
    days: bool  # whether sessions may lie days apart


@dataclass(frozen=True)
class Outcome:
    """A report, and the measurements that its pictures are drawn from."""

    report: dict[str, Any]
    rows: list[Measured]
    lengths: list[Measured]
    keys: list[Measured]

    def draw(self, folder: Path) -> list[Path]:
        """Write the pictures that there is something to show for; returns their paths."""
        chosen = [row for row in self.rows if row.key in DRAWN]
        points = {name: at["threshold"] for name, at in self.report["operating_points"].items()}
        painted: dict[str, Callable[[Path], None]] = {
            "scores.png": lambda path: pictures.scores(chosen, points, path),
            "reliability.png": lambda path: pictures.reliability(chosen, path),
        }
        titles = ("Error trade-off by length of history", "Error trade-off by keys typed")
        for name, title, curves in zip(CURVES, titles, (self.lengths, self.keys), strict=True):
            if curves:
                painted[name] = lambda path, c=curves, t=title: pictures.det(c, t, path)  # type: ignore[misc]
        if found := self.report["attacks"]:
            painted["attacks.png"] = lambda path: pictures.attacks(found, path)
        for name, paint in painted.items():
            paint(folder / name)
        return [folder / name for name in painted]


def study_of(name: str, events: Events, others: Events | None, unit: str, days: bool) -> Study:
    """Of key events; an attacker has seen `others`. Raises ValueError when fewer than two people have a session."""
    table = sessions_of(required(events, name, people=2)).table()
    seen = None if others is None else sessions_of(others).table()
    return Study(name, table, seen, events, unit, days)


def study_of_table(name: str, table: SessionTable) -> Study:
    """Of sessions."""
    return Study(name, table, None, None, "session", True)


def rows(study: Study, patterns: int) -> list[Row]:
    """The rows of the table. Raises ValueError when not even one session can be held against `patterns`."""
    if study.events is None:
        found = list(rows_of_table(study.table, patterns))
    else:
        found = list(rows_of(study.events, patterns, study.unit, study.days))
    if not found:
        try:
            first_sessions(study.table, patterns, rich=False)  # says what is missing
        except ValueError as error:
            raise ValueError(f"{study.name}: {error}") from error
    return found


def verify(
    scorer: Scorer,
    study: Study,
    *,
    patterns: int,
    seed: int,
    resamples: int = RESAMPLES,
    service: Service | None = None,
    curves: bool = False,
    tick: Callable[[], None] = lambda: None,
) -> Outcome:
    """Measure everything; `service` adds the attacks on it, `curves` those over history and keys."""

    def measured(found: Sequence[Row]) -> list[Measured]:
        done = []
        for row in found:
            done.append(measure(scorer, row, seed, resamples))
            tick()
        return done

    main = measured(rows(study, patterns))
    lengths = measured(_lengths(study, patterns)) if curves else []
    keys = measured(_keys(study, patterns)) if curves and study.events is not None else []
    nobody = first_sessions(study.table, 0, rich=study.table.derived is not None)
    report = {
        "model_version": scorer.model_version,
        "model_sha256": scorer.sha256,
        "study": study.name,
        "protocol": {
            "enrolled_sessions": patterns,
            "impostors_a_person": {"one": IMPOSTORS, "five": IMPOSTORS_TOGETHER},
            "resamples": resamples,
            "seed": seed,
        },
        "operating_points": {
            name: {"threshold": point.threshold, "setting": point.setting}
            for name, point in scorer.model.operating_points.items()
        },
        "rows": {row.key: row.entry() for row in main},
        "without_history": blind(scorer, nobody, IMPOSTORS, seed),
        "history_lengths": _figures(lengths),
        "keys_typed": _figures(keys),
        "attacks": {} if service is None else _attacks(service, study, main, patterns, seed, tick),
    }
    return Outcome(report, main, lengths, keys)


def _attacks(
    service: Service,
    study: Study,
    main: Sequence[Measured],
    patterns: int,
    seed: int,
    tick: Callable[[], None],
) -> dict[str, Any]:
    inputs = [seen for seen in ("four", "rich") if any(row.key == f"{seen}_one" for row in main)]
    return {
        seen: attack(
            service,
            study.table,
            study.others,
            rich=seen == "rich",
            patterns=patterns,
            seed=seed,
            tick=tick,
        )
        for seen in inputs
    }


def _lengths(study: Study, patterns: int) -> list[Row]:
    """Histories of several lengths up to `patterns`, the same sessions judged."""
    lengths = [*(n for n in LENGTHS if n < patterns), patterns]
    settings = [
        Setting(
            f"history_{n}",
            f"history of {n} {study.unit}{'s' if n > 1 else ''}",
            lambda rich, n=n: first_sessions(study.table, n, rich, skip=patterns - n),  # type: ignore[misc]
        )
        for n in lengths
    ]
    return _shortened(list(looked_up(settings, ("rich",))))


def _keys(study: Study, patterns: int) -> list[Row]:
    """Sessions of several sentences."""
    events = study.events
    if events is None:
        return []
    typed = sessions_of(events)
    median = int(np.median(np.bincount(events.sessions())))
    settings = []
    for many in SENTENCES:
        later = together(events, typed, patterns, many)

        def people(rich: bool, later: SessionTable = later) -> Enrolled:
            return enrol(first_of(study.table, patterns), later, patterns, rich)

        name = f"{many} {study.unit}{'s' if many > 1 else ''}, about {many * median} keys"
        settings.append(Setting(f"keys_{many}", name, people, 2 * IMPOSTORS))
    return _shortened(list(looked_up(settings, ("rich",))))


def _shortened(found: list[Row]) -> list[Row]:
    """Without the input in the name: a picture's legend says it once."""
    return [replace(row, name=row.name.split(", ", 1)[1]) for row in found]


def _figures(measured: Sequence[Measured]) -> Mapping[str, Any]:
    return {row.key: {"name": row.name, "figures": row.figures} for row in measured}
