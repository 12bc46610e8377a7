"""The rows of the verification table: what a session is, what the history is, and which input is seen.

A session is what the file calls one (a sentence, in the study of `ml.real_people`), or five of them together, or a
stretch of 50 keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.cuts import evenly, stretches, together
from ml.dataset import SessionTable
from ml.enrolled import Enrolled, enrol
from ml.events import Events
from ml.windows import sessions_of

WINDOW_KEYS: Final = 50
WINDOW_HISTORY: Final = 5
TOGETHER: Final = 5
IMPOSTORS: Final = 40  # other people's sessions per person
IMPOSTORS_TOGETHER: Final = 200  # where each person has one or two sessions to be judged
MOST_WINDOWS: Final = 20  # of one person's later sessions
INPUTS: Final = {"four": "four numbers", "rich": "rich windows"}


@dataclass(frozen=True)
class Row:
    """One row of the table: a key that programs know it by, a name for people, and who is compared."""

    key: str
    name: str
    enrolled: Enrolled
    impostors: int  # each person is attacked by


@dataclass(frozen=True)
class Setting:
    """A row before the input is chosen and the people are looked up."""

    key: str
    name: str
    people: Callable[[bool], Enrolled]
    impostors: int = IMPOSTORS


def rows_of(events: Events, patterns: int, unit: str, days: bool) -> Iterator[Row]:
    """Every row that the events allow; `unit` is what their sessions are called.

    `days` adds stretches held against stretches that are spread over a person's earlier sessions.
    """
    typed = sessions_of(events)
    table = typed.table()
    several = together(events, typed, patterns, TOGETHER)
    windows = stretches(events, WINDOW_KEYS)
    settings = [
        one_session(table, patterns, unit),
        Setting(
            "five",
            f"five {unit}s in one session, history of {patterns} {unit}s",
            lambda rich: enrol(first_of(table, patterns), several, patterns, rich),
            IMPOSTORS_TOGETHER,
        ),
        Setting(
            "window",
            f"one window of {WINDOW_KEYS} keys, history of {WINDOW_HISTORY} windows",
            lambda rich: first_sessions(windows, WINDOW_HISTORY, rich),
        ),
    ]
    if days:
        settings.append(
            Setting(
                "days",
                f"one window of {WINDOW_KEYS} keys, history of {patterns} spread over the earlier {unit}s",
                lambda rich: _over_days(windows, table, patterns, rich),
            )
        )
    return looked_up(settings, tuple(INPUTS))


def rows_of_table(table: SessionTable, patterns: int) -> Iterator[Row]:
    """The rows that a table of sessions allows: one session against a history, by each input that it has."""
    rich = table.derived is not None and bool(table.derived.any())
    return looked_up([one_session(table, patterns, "session")], tuple(INPUTS)[: 1 + rich])


def one_session(table: SessionTable, patterns: int, unit: str) -> Setting:
    """One session against a history of the person's first ones."""
    return Setting(
        "one",
        f"one {unit}, history of {patterns} {unit}s",
        lambda rich: first_sessions(table, patterns, rich),
    )


def looked_up(settings: Sequence[Setting], inputs: Sequence[str]) -> Iterator[Row]:
    """The settings with each input. One that too few people typed enough for is left out."""
    for seen in inputs:
        for setting in settings:
            try:
                people = setting.people(seen == "rich")
            except ValueError:
                continue
            name = f"{INPUTS[seen]}, {setting.name}"
            yield Row(f"{seen}_{setting.key}", name, people, setting.impostors)


def first_sessions(table: SessionTable, patterns: int, rich: bool, skip: int = 0) -> Enrolled:
    """A person's first `patterns` sessions are the history; all after them, but `skip`, are judged.

    With patterns = 0 nobody has a history. Raises ValueError when fewer than two people are left.
    """
    ordered, place = _placed(table)
    later = ordered.rows(place >= patterns + skip)
    found = enrol(first_of(table, max(patterns, 1)), later, max(patterns, 1), rich)
    return replace(
        found,
        history=found.history[:, :patterns],
        past_derived=found.past_derived[:, :patterns],
        past_seconds=found.past_seconds[:, :patterns],
    )


def first_of(table: SessionTable, patterns: int) -> SessionTable:
    """Each person's first `patterns` sessions, or fewer."""
    ordered, place = _placed(table)
    return ordered.rows(place < patterns)


def _placed(table: SessionTable) -> tuple[SessionTable, NDArray[np.int64]]:
    """The table in order of people and time, and each session's number among its person's."""
    ordered = table.sorted()
    return ordered, np.arange(len(ordered)) - np.searchsorted(ordered.user, ordered.user)


def _over_days(windows: SessionTable, table: SessionTable, patterns: int, rich: bool) -> Enrolled:
    """The earlier half of a person's sessions gives the history, the other half the windows to be judged."""
    ordered = table.sorted()
    user, first, many = np.unique(ordered.user, return_index=True, return_counts=True)
    middle = ordered.unix_seconds[first + many // 2]  # (P,)
    known = windows.rows(np.isin(windows.user, user))
    before = known.unix_seconds < middle[np.searchsorted(user, known.user)]
    past, later = evenly(known.rows(before), patterns), evenly(known.rows(~before), MOST_WINDOWS)
    return enrol(past, later, patterns, rich)
