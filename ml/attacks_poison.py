"""A history led away step by step, until it is the attacker's; and what the guard against it costs the owner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.blend import Vectors, average
from ml.defended import Service
from ml.enrolled import Enrolled
from ml.sessions import Sessions

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
ATTACKERS: Final = 100
DAYS: Final = 10
STEPS_A_DAY: Final = 20
LONGEST: Final = 50  # patterns that a history keeps
FIRST_STEP: Final = 0.1  # of the way from the victim to the attacker
GREATEST_STEP: Final = 0.3
NOISE: Final = 0.3  # deviations; copies would be taken for replays
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True)
class Led:
    """What became of each attack (A,): the share of the attacker's own sessions accepted, and of the victim's."""

    through: Floats  # 1 where most of the attacker's own sessions are accepted at the end
    attacker_before: Floats
    attacker_after: Floats
    victim_before: Floats
    victim_after: Floats
    entered: Floats  # steps that entered the history


class Histories:
    """A (A, 50) window of histories that grow, newest first."""

    def __init__(self, people: Enrolled, person: Rows) -> None:
        known = min(people.history.shape[1], LONGEST)
        self.rich = people.rich
        self.counts = np.full(len(person), known, dtype=np.int64)
        self.numbers = np.zeros((len(person), LONGEST, 4))
        self.derived = np.zeros((len(person), LONGEST, people.past_derived.shape[2]))
        self.seconds = np.zeros((len(person), LONGEST), dtype=np.int64)
        self.numbers[:, :known] = people.history[person, :known]
        self.derived[:, :known] = people.past_derived[person, :known]
        self.seconds[:, :known] = people.past_seconds[person, :known]

    def claims(self, numbers: Floats, derived: Floats, seconds: Rows) -> Sessions:
        """Sessions (A, 4), (A, 58) against each history."""
        longest = int(self.counts.max())
        ages = np.maximum(seconds[:, None] - self.seconds[:, :longest], 0) / 3600.0
        past = self.numbers[:, :longest]
        if not self.rich:
            return Sessions(numbers, past, self.counts, ages_hours=ages)
        return Sessions(numbers, past, self.counts, derived, self.derived[:, :longest], ages)

    def enter(self, chosen: NDArray[np.bool_], numbers: Floats, derived: Floats, at: Rows) -> None:
        """The chosen sessions (A,) become the newest of their histories."""
        for kept, new in (
            (self.numbers, numbers),
            (self.derived, derived),
            (self.seconds, at),
        ):
            kept[chosen, 1:] = kept[chosen, :-1]
            kept[chosen, 0] = new[chosen]
        self.counts[chosen] = np.minimum(self.counts[chosen] + 1, LONGEST)


def poison(service: Service, people: Enrolled, rng: np.random.Generator) -> Led:
    """100 attackers, each with a victim by whom none of their own sessions is accepted.

    The attacker knows the victim's mean session and steps from it towards their own, further after each step that
    enters, shorter after each that does not: 20 attempts a day for 10 days.
    Raises ValueError when there is no such pair.
    """
    victim, attacker = _pairs(service, people, rng)
    if not len(victim):
        raise ValueError("nobody refuses all sessions of somebody else: there is no one to attack")
    histories = Histories(people, victim)
    before = [_own_share(service, people, histories, who) for who in (attacker, victim)]
    goal, known = _means_later(people, attacker), _means(people, victim)
    start = np.where(np.isnan(known.values), goal.values, known.values)  # (A, 38)
    way, step = np.zeros(len(victim)), np.full(len(victim), FIRST_STEP)
    entered = np.zeros(len(victim))
    begin = people.later.unix_seconds[people.first_later()][victim]
    for day in range(DAYS):
        left = np.full(len(victim), service.updates_per_day)
        for nth in range(STEPS_A_DAY):
            reach = np.minimum(way + step, 1.0)
            mixed = start + reach[:, None] * (goal.values - start)
            numbers, derived = replace(goal, values=mixed).disturbed(NOISE, rng).sessions()
            at = begin + day * DAY_SECONDS + nth * 60
            allowed = left > 0
            entering = service.judge(histories.claims(numbers, derived, at)).recorded & allowed
            histories.enter(entering, numbers, derived, at)
            way = np.where(entering, reach, way)
            longer, shorter = np.minimum(step * 1.3, GREATEST_STEP), np.maximum(step * 0.6, 0.005)
            step = np.where(entering, longer, np.where(allowed, shorter, step))
            left -= entering
            entered += entering
    after = [_own_share(service, people, histories, who) for who in (attacker, victim)]
    through = (after[0] >= 0.5).astype(np.float64)
    return Led(through, before[0], after[0], before[1], after[1], entered)


def _pairs(service: Service, people: Enrolled, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Up to 100 (victim, attacker) of different people, with none of the attacker's sessions accepted at the outset."""
    victim = rng.permutation(len(people))
    attacker = (victim + rng.integers(1, len(people), len(victim))) % len(people)
    share = _own_share(service, people, Histories(people, victim), attacker)
    refused = np.flatnonzero(share == 0)[:ATTACKERS]
    return victim[refused], attacker[refused]


def _own_share(service: Service, people: Enrolled, histories: Histories, who: Rows) -> Floats:
    """The share (A,) of each one's later sessions, at most five, that are accepted against the histories."""
    first = people.first_later()[who]
    many = np.bincount(people.owner, minlength=len(people))[who]
    accepted, tried = np.zeros(len(who)), np.zeros(len(who))
    for nth in range(5):
        row = first + np.minimum(nth, many - 1)
        seconds = people.later.unix_seconds[row] + DAYS * DAY_SECONDS
        derived = people.later.derived_rows()[row]
        claims = histories.claims(people.later.features[row], derived, seconds)
        accepted += np.where(nth < many, service.judge(claims).accepted, 0)
        tried += nth < many
    return accepted / np.maximum(tried, 1)


def _means(people: Enrolled, who: Rows) -> Vectors:
    longest = people.history.shape[1]
    person, pattern = np.repeat(who, longest), np.tile(np.arange(longest), len(who))
    vectors = Vectors.of(people.history[person, pattern], people.past_derived[person, pattern])
    return average(vectors, np.repeat(np.arange(len(who)), longest), len(who))


def _means_later(people: Enrolled, who: Rows) -> Vectors:
    vectors = Vectors.of(people.later.features, people.later.derived_rows())
    return average(vectors, people.owner, len(people)).rows(who)
