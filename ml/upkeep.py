"""What the rule of enrolment and the guard cost a person whose history grows by their own sessions."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ml.attacks_poison import Histories
from ml.dataset import SessionTable
from ml.defended import Service
from ml.enrolled import HOUR, Comparisons, Enrolled, compare
from ml.metrics import Scored
from ml.protocol import first_sessions
from ml.sessions import Sessions

Floats = NDArray[np.float64]
CHUNK = 2048


@dataclass(frozen=True)
class Grown:
    """Comparisons after upkeep, and the shares of genuine sessions in it, one number a person."""

    scored: Scored
    recorded: Floats  # (P,) share that entered
    withheld: Floats  # (P,) share that only the guard kept out


def grow(
    service: Service,
    table: SessionTable,
    rich: bool,
    patterns: int,
    grown_by: int,
    seed: int,
    impostors: int = 40,
) -> Grown:
    """Enrol `patterns` sessions, let the next `grown_by` enter as the service allows, judge all later ones."""
    people = first_sessions(table, patterns, rich)
    many = np.bincount(people.owner, minlength=len(people))
    people = people.people(np.flatnonzero(many > grown_by))
    everyone = np.arange(len(people))
    histories = Histories(people, everyone)
    first = people.first_later()
    recorded, withheld = np.zeros(len(people)), np.zeros(len(people))
    unguarded = replace(service, guarded=False)
    for nth in range(grown_by):
        row = first + nth
        numbers, derived = people.later.features[row], people.later.derived_rows()[row]
        seconds = people.later.unix_seconds[row]
        claims = histories.claims(numbers, derived, seconds)
        enters = service.judge(claims).recorded
        recorded += enters / grown_by
        if service.guarded:
            withheld += (unguarded.judge(claims).recorded & ~enters) / grown_by
        histories.enter(enters, numbers, derived, seconds)
    judged = first_sessions(table, patterns, rich, skip=grown_by)
    compared = compare(judged, impostors, np.random.default_rng(seed))
    return Grown(_score(service, compared, histories), recorded, withheld)


def _score(service: Service, compared: Comparisons, histories: Histories) -> Scored:
    people: Enrolled = compared.enrolled
    parts = []
    for i in range(0, len(compared), CHUNK):
        rows = slice(i, i + CHUNK)
        claimed, typed = compared.claimed[rows], compared.typed[rows]
        seconds = people.later.unix_seconds[compared.moment[rows]]
        longest = int(histories.counts.max())
        ages = np.maximum(seconds[:, None] - histories.seconds[claimed, :longest], 0) / HOUR
        rich = people.rich
        sessions = Sessions(
            people.later.features[typed],
            histories.numbers[claimed, :longest],
            histories.counts[claimed],
            people.later.derived_rows()[typed] if rich else None,
            histories.derived[claimed, :longest] if rich else None,
            ages,
        )
        parts.append(service.scorer.probability(sessions))
    return Scored(np.concatenate(parts), compared.genuine, people.user[compared.claimed])
