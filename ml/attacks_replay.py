"""Recorded sessions sent again, and how often a genuine one is taken for such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ml.defended import Service
from ml.enrolled import Comparisons, Enrolled
from ml.guard import replayed
from ml.statistics import STATISTICS, VALUES, even, natural

Floats = NDArray[np.float64]
SIGNS = (-1.0, 1.0)


def exact(service: Service, people: Enrolled) -> Floats:
    """The share (P,) of each person's recorded patterns that are accepted when they come again."""
    person, pattern = _every(people)
    numbers, derived = people.history[person, pattern], people.past_derived[person, pattern]
    return _accepted(service, people, person, numbers, derived)


def moved(service: Service, people: Enrolled, rng: np.random.Generator) -> Floats:
    """The share (P,) of copies accepted in which one number is 1 greater or less.

    Each recorded pattern eight times, each of the four numbers either way; with rich input once more, with one derived
    statistic moved: times by 1 ms, all others by a hundredth.
    """
    person, pattern = _every(people)
    shares = []
    for field in range(4):
        for sign in SIGNS:
            numbers = people.history[person, pattern].copy()
            numbers[:, field] += sign
            numbers[:, [0, 1, 3]] = np.maximum(numbers[:, [0, 1, 3]], 0.0)
            derived = people.past_derived[person, pattern]
            shares.append(_accepted(service, people, person, numbers, derived))
    if people.rich:
        numbers, derived = people.history[person, pattern], people.past_derived[person, pattern]
        shares.append(_accepted(service, people, person, numbers, _nudged(derived, rng)))
    return np.asarray(np.mean(shares, axis=0))


def mistaken(compared: Comparisons, whole: bool) -> Floats:
    """The share (P,) of each person's genuine later sessions that look like a replay.

    `whole` rounds all four numbers, as a chain sends them, and shows nothing else.
    """
    people, own = compared.enrolled, compared.genuine
    shown = _rounded(people) if whole else people
    genuine = Comparisons(
        shown, compared.claimed[own], compared.typed[own], compared.moment[own], own[own]
    )
    return _per_person(people, genuine.claimed, replayed(genuine.sessions(slice(None))))


def _rounded(people: Enrolled) -> Enrolled:
    later = replace(people.later, features=np.rint(people.later.features))
    return replace(people, history=np.rint(people.history), later=later, rich=False)


def _nudged(derived: Floats, rng: np.random.Generator) -> Floats:
    moved = natural(derived[:, VALUES])
    rows = np.arange(len(moved))
    field = rng.integers(0, len(STATISTICS), len(moved))
    times = np.array([name.endswith("_ms") for name in STATISTICS])
    moved[rows, field] += np.where(times[field], 1.0, 0.01) * rng.choice(SIGNS, len(moved))
    nudged = derived.copy()
    nudged[:, VALUES] = even(moved)
    return nudged


def _every(people: Enrolled) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    count, longest = people.history.shape[:2]
    return np.repeat(np.arange(count), longest), np.tile(np.arange(longest), count)


def _accepted(
    service: Service,
    people: Enrolled,
    person: NDArray[np.int64],
    numbers: Floats,
    derived: Floats,
) -> Floats:
    seconds = people.later.unix_seconds[people.first_later()][person]
    accepted = service.judge(people.claims(person, numbers, derived, seconds)).accepted
    return _per_person(people, person, accepted)


def _per_person(people: Enrolled, person: NDArray[np.int64], happened: NDArray[np.bool_]) -> Floats:
    tried = np.bincount(person, minlength=len(people))
    return np.asarray(np.bincount(person, happened, len(people)) / np.maximum(tried, 1))
