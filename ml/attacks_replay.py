"""Recorded sessions sent again, and how often a genuine one is taken for such."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ml.attacks_poison import LONGEST
from ml.blend import Vectors
from ml.defended import Service
from ml.enrolled import Comparisons, Enrolled
from ml.guard import replayed
from ml.sessions import Sessions
from ml.statistics import DERIVED, STATISTICS, VALUES, even, natural
from ml.windows import LEAST

Floats = NDArray[np.float64]
SIGNS = (-1.0, 1.0)
COPIES = 4  # of a pattern of each person, each of the four numbers moved once


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


def whole_copies(service: Service, people: Enrolled, rng: np.random.Generator) -> Floats:
    """The share (P,) accepted of four copies in whole numbers, one moved by 1, of a history of 50 patterns."""
    grown = grown_whole(people, rng)
    person = np.repeat(np.arange(len(grown)), COPIES)
    copied = grown.history[person, rng.integers(0, LONGEST, len(person))]
    copied[np.arange(len(person)), np.tile(np.arange(COPIES), len(grown))] += rng.choice(
        SIGNS, len(person)
    )
    derived = np.zeros((len(person), DERIVED))
    return _accepted(service, grown, person, np.maximum(copied, LEAST), derived)


def grown_whole(people: Enrolled, rng: np.random.Generator) -> Enrolled:
    """The people with histories of 50 patterns of whole numbers, as a chain sends them.

    The newest are their own; the older ones are drawn about them with a person's own scatter.
    """
    known = people.history.shape[1]
    more = max(LONGEST - known, 0)
    person = np.repeat(np.arange(len(people)), more)
    pattern = np.tile(np.arange(more) % known, len(people))
    own = Vectors.of(people.history[person, pattern], people.past_derived[person, pattern])
    drawn, derived = own.disturbed(1.0, rng).sessions()
    shape = (len(people), more)
    history = np.concatenate([people.history, drawn.reshape(*shape, 4)], axis=1)
    past = np.concatenate([people.past_derived, derived.reshape(*shape, DERIVED)], axis=1)
    oldest = people.past_seconds[:, -1:]
    seconds = np.concatenate([people.past_seconds, np.repeat(oldest, more, axis=1)], axis=1)
    return replace(
        _rounded(people), history=np.rint(history), past_derived=past, past_seconds=seconds
    )


def mistaken(compared: Comparisons, whole: bool) -> Floats:
    """The share (P,) of each person's genuine later sessions that look like a replay.

    `whole` rounds all four numbers, as a chain sends them, and shows nothing else.
    """
    genuine = _genuine(compared, whole)
    return _per_person(genuine.enrolled, genuine.claimed, replayed(genuine.sessions(slice(None))))


def mistaken_long(compared: Comparisons) -> Floats:
    """As `mistaken` in whole numbers, (P,), for histories of 50, longer than anybody's: how often a session agrees with
    one pattern, times 50 (rather too much: one session may agree with two)."""
    genuine = _genuine(compared, whole=True)
    claims = genuine.sessions(slice(None))
    known = claims.history.shape[1]
    near = np.zeros(len(claims))
    for nth in range(known):
        pattern = claims.history[:, nth : nth + 1]  # (N, 1, 4)
        near += replayed(Sessions(claims.current, pattern, np.minimum(claims.counts, 1)))
    return _per_person(genuine.enrolled, genuine.claimed, near * LONGEST / known)


def _genuine(compared: Comparisons, whole: bool) -> Comparisons:
    own = compared.genuine
    shown = _rounded(compared.enrolled) if whole else compared.enrolled
    return Comparisons(
        shown, compared.claimed[own], compared.typed[own], compared.moment[own], own[own]
    )


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


def _per_person(
    people: Enrolled, person: NDArray[np.int64], happened: NDArray[np.bool_] | Floats
) -> Floats:
    tried = np.bincount(person, minlength=len(people))
    return np.asarray(np.bincount(person, happened, len(people)) / np.maximum(tried, 1))
