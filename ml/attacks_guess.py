"""Attackers who know how people type in general, or who hold some of the victim's sessions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.blend import Vectors, average
from ml.dataset import SessionTable
from ml.defended import Service
from ml.enrolled import Enrolled

Floats = NDArray[np.float64]
TRIES = 10
FEWEST = 20  # people of whom one half is guessed at: ten are the ten centres
ROUNDS = 30  # of Lloyd's algorithm; the centres stand still before


def guess_at(
    service: Service,
    people: Enrolled,
    table: SessionTable,
    others: SessionTable | None,
    rng: np.random.Generator,
) -> Floats | None:
    """`population_guess` at everybody, or, without others, at every second person from the sessions of those between.

    None where fewer than 20 people would leave too few on either side.
    """
    if others is not None:
        return population_guess(service, people, others, rng)
    if len(people) < FEWEST:
        return None
    victims = np.arange(0, len(people), 2)
    seen = table.rows(~np.isin(table.user, people.user[victims]))
    return population_guess(service, people.people(victims), seen, rng)


def population_guess(
    service: Service, people: Enrolled, others: SessionTable, rng: np.random.Generator
) -> Floats:
    """Whether (P,) each person is broken by any of ten typical sessions of other people: 1 or 0.

    The ten are the k-means centres of the others' mean sessions (after Negi et al.), the same for every victim.
    """
    number, group = np.unique(others.user, return_inverse=True)
    means = average(Vectors.of(others.features, others.derived_rows()), group, len(number))
    shown = means.values if people.rich else means.values[:, :4]
    nearest = k_means(np.nan_to_num(shown), TRIES, rng)
    numbers, derived = average(means, nearest, TRIES).sessions()
    person = np.repeat(np.arange(len(people)), TRIES)
    attempt = np.tile(np.arange(TRIES), len(people))
    seconds = people.later.unix_seconds[people.first_later()][person]
    claims = people.claims(person, numbers[attempt], derived[attempt], seconds)
    accepted = service.judge(claims).accepted.reshape(len(people), TRIES)
    return np.asarray(accepted.any(axis=1), dtype=np.float64)


def stolen(
    service: Service, people: Enrolled, sessions: int, noise: float, rng: np.random.Generator
) -> Floats:
    """The share (P,) of ten attempts accepted that are the mean of the victim's newest `sessions` patterns plus noise.

    `noise` is in deviations of one person's sentences: 1 scatters as a person does.
    """
    count = len(people)
    person = np.repeat(np.arange(count), sessions)
    pattern = np.tile(np.arange(sessions), count)
    vectors = Vectors.of(people.history[person, pattern], people.past_derived[person, pattern])
    known = average(vectors, person, count)
    again = np.repeat(np.arange(count), TRIES)
    numbers, derived = known.rows(again).disturbed(noise, rng).sessions()
    seconds = people.later.unix_seconds[people.first_later()][again]
    accepted = service.judge(people.claims(again, numbers, derived, seconds)).accepted
    return np.asarray(accepted.reshape(count, TRIES).mean(axis=1))


def k_means(points: Floats, centres: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The cluster (N,) of each of (N, D), after Lloyd (1982), begun as k-means++ (Arthur & Vassilvitskii, 2007)."""
    chosen = points[rng.integers(0, len(points), 1)]  # (1, D)
    for _ in range(1, centres):
        far = _squares(points, chosen).min(axis=1)
        pick = rng.choice(len(points), p=far / far.sum()) if far.sum() > 0 else 0
        chosen = np.concatenate([chosen, points[pick][None]])
    for _ in range(ROUNDS):
        nearest = _squares(points, chosen).argmin(axis=1)  # (N,)
        for centre in range(centres):
            if (nearest == centre).any():
                chosen[centre] = points[nearest == centre].mean(axis=0)
    return np.asarray(_squares(points, chosen).argmin(axis=1))


def _squares(points: Floats, centres: Floats) -> Floats:
    """Squared distances (N, C)."""
    return np.asarray(np.square(points[:, None] - centres[None]).sum(axis=2))
