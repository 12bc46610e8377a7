"""How much likelier is a session under its DID's own history than under anybody's, shared out over six channels.

The ratio features are functions of the four numbers, so whoever knows some features knows others: any three of {speed,
transition, errors, speed-accuracy ratio} give the fourth (speed is what pauses add to hold + transition), any two of
{hold, transition, rhythm ratio} the third. Each set of knowledge has a marginal log-likelihood ratio of its own. The
channels are the Shapley values over the 64 coalitions, so they sum to the joint ratio of all features: nothing is
counted twice and nothing is lost.

Four numbers of a longer session lie nearer to their person's own. Where the error rate proves more keys than a usual
sentence has (`ml.key_counts`), the session's noise is that of so many sentences together.

A row is rich where the session and a pattern of its history have derived statistics: `ml.rich_evidence` weighs those,
patterns of four numbers included. Every sum runs in a fixed order, element by element: a row's evidence has the same
bits alone and in any batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.blocks import product
from ml.coalitions import COALITIONS, members, shapley_weights
from ml.features import (
    ERROR_RATE,
    FEATURES,
    KEY_HOLD,
    RHYTHM,
    SPEED_ACCURACY,
    TRANSITION,
    TYPING_SPEED,
    even,
)
from ml.key_counts import least_keys
from ml.population import Population
from ml.rich_evidence import RichEvidence
from ml.rich_population import RichPopulation
from ml.sessions import Sessions
from ml.statistics import is_rich

MAX_HISTORY = 50  # newer patterns count, older ones are left out
WIDTH = 4  # most features that one set of knowledge holds
# A session's length in usual sentences, by the least keys that its error rate allows: the last one that these reach.
# A rate has the keys of the session or a divisor of them, so 40 keys stand for a sentence of about 48. The first serves
# where nothing is known: a Student-t's scale is (nu - 2) / nu of the variance that `population.fit` measures. Two-fold,
# five sentences together: calibration error 1.2 instead of 5.3, FRR at FAR 1 % 46 instead of 52 %, EER 5.9 instead of
# 6.2; one sentence is as it was.
LENGTHS = np.array([1.3, 2.0, 3.0, 4.0, 6.0])  # (L,)
KEYS_OF_ONE = 40.0
_PAIRS = np.triu_indices(FEATURES)  # of features, 21
# Members of which so many give the others, and those who then stand for all.
_BONDS = (
    ((TYPING_SPEED, TRANSITION, ERROR_RATE, SPEED_ACCURACY), 3),
    ((KEY_HOLD, TRANSITION, RHYTHM), 2),
)


@dataclass(frozen=True)
class Tails:
    """How heavy the tails are, and how slowly a DID's own spread is believed."""

    freedom: float = 12.0  # Student-t; 6 to 12 came out alike
    prior_sessions: float = 16.0  # the population's spread counts as much as so many sessions


def knowledge(coalition: NDArray[np.bool_]) -> tuple[int, ...]:
    """The features (at most 4) that say all that the coalition's members, (6,), say."""
    known = set(np.flatnonzero(coalition).tolist())
    before = -1
    while len(known) != before:
        before = len(known)
        for bond, enough in _BONDS:
            if len(known & set(bond)) >= enough:
                known |= set(bond)
    for ratio, bond in ((SPEED_ACCURACY, _BONDS[0][0]), (RHYTHM, _BONDS[1][0])):
        if known >= set(bond):
            known.discard(ratio)
    return tuple(sorted(known))


class Evidence:
    """Weighs sessions against their histories with one population's constants; holds tables, no state."""

    def __init__(
        self, population: Population, tails: Tails, rich: RichPopulation | None = None
    ) -> None:
        self._rich = None if rich is None else RichEvidence(rich)
        self.population = population
        self.tails = tails
        known = [knowledge(row) for row in members()]
        self._sets = sorted(set(known) - {()}, key=lambda chosen: (len(chosen), chosen))
        self._index = np.array([_padded(chosen) for chosen in self._sets]).T  # (4, S)
        present = np.array([[f in chosen for chosen in self._sets] for f in range(FEATURES)])
        self._half_present = present / 2.0  # (6, S)
        self._half = (tails.freedom + present.sum(axis=0)) / 2.0  # (S,)
        self._share = self._shares(known)  # (S, 6)
        self._within = np.diag(population.within).copy()  # (6,)
        self._tables()

    @property
    def weighs_rich(self) -> bool:
        """Whether derived statistics are used."""
        return self._rich is not None

    def channels(
        self, sessions: Sessions, features: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Six log-likelihood ratios (B, 6) in nats, positive for "the same person"; exactly zero without history.

        Their sum is the joint ratio of all that is known. Only the newest 50 patterns of a history count.
        `features` (B, 6): `even` of the sessions, where it is known already.
        """
        rich = self.is_rich(sessions)  # (B,)
        if self._rich is None or not rich.any():
            return self._of_summary(sessions, features)
        if rich.all():
            return self._rich.channels(sessions)
        channels = np.zeros((len(sessions), FEATURES))
        channels[rich] = self._rich.channels(sessions[rich])
        plain = None if features is None else features[~rich]
        channels[~rich] = self._of_summary(sessions[~rich], plain)
        return channels

    def is_rich(self, sessions: Sessions) -> NDArray[np.bool_]:
        """Which rows (B,) have derived statistics now and in at least one of the patterns that count."""
        if self._rich is None or sessions.derived is None or sessions.past_derived is None:
            return np.zeros(len(sessions), dtype=bool)
        longest = sessions.past_derived.shape[1]
        past = is_rich(sessions.past_derived[:, :MAX_HISTORY])
        past &= sessions.counted()[:, : min(longest, MAX_HISTORY)]
        return np.asarray(is_rich(sessions.derived) & past.any(axis=1))

    def _of_summary(
        self, sessions: Sessions, features: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        return product(self.marginals(sessions, features), self._share)  # (B, S) (S, 6)

    def joint(self, sessions: Sessions) -> NDArray[np.float64]:
        """The log-likelihood ratio (B,) of the four numbers together."""
        return self.marginals(sessions)[:, -1]

    def marginals(
        self, sessions: Sessions, features: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """The log-likelihood ratio (B, S) of each set of knowledge: Student-t densities of the session, given the
        history (mean shrunk by the regression on it, spread by its own variance) over that of anybody."""
        counts = np.minimum(sessions.counts, MAX_HISTORY)  # (B,)
        features = even(sessions.current) if features is None else features
        now = features - self.population.mean  # (B, 6)
        past = even(sessions.history[:, :MAX_HISTORY]) - self.population.mean  # (B, K, 6)
        mean, spread = self._summary(past, counts)  # (B, 6), (B, 6)
        length = _length(sessions.current[:, ERROR_RATE])  # (B,)
        nu = self.tails.freedom
        own = np.log1p(self._own(now, mean, spread, counts, length) / nu)  # (B, S)
        anybody = np.log1p(self._of_anybody(now, length) / nu)  # (B, S)
        ratio = self._half * (anybody - own) + self._log_scale[length, counts]
        ratio -= product(np.log(spread), self._half_present)
        return np.where(counts[:, None] > 0, ratio, 0.0)

    def _summary(
        self, past: NDArray[np.float64], counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The history's mean, and its spread relative to the population's: (8 + (k-1) v/W) / (8 + k-1)."""
        rows, patterns = past.shape[:2]
        if patterns == 0:
            return np.zeros((rows, FEATURES)), np.ones((rows, FEATURES))
        if rows and counts.min() < patterns:
            past[np.arange(patterns) >= counts[:, None]] = 0.0
        k = np.maximum(counts, 1)[:, None].astype(np.float64)  # (B, 1)
        # Row by row, first to last: along its last axis numpy's own sum groups by length, so padding would move bits.
        first = np.add.reduce(past, axis=1)  # (B, 6)
        second = np.add.reduce(np.square(past, out=past), axis=1)
        mean = first / k
        scatter = np.maximum(second - mean * first, 0.0)  # (k-1) v
        prior = self.tails.prior_sessions
        return mean, (prior + scatter / self._within) / (prior + k - 1.0)

    def _own(
        self,
        now: NDArray[np.float64],
        mean: NDArray[np.float64],
        spread: NDArray[np.float64],
        counts: NDArray[np.int64],
        length: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """The squared Mahalanobis distance (B, S) of the session from what the history lets expect."""
        if len(counts) and (counts == counts[0]).all() and (length == length[0]).all():
            counts, length = counts[:1], length[:1]  # nothing to gather
        known = np.empty((len(now), 3, FEATURES))
        known[:, 0], known[:, 1], known[:, 2] = now, mean, 1.0 / np.sqrt(spread)
        known = known[:, :, self._index]  # (B, 3, 4, S)
        expected = _times(self._slope[counts], known[:, 1])  # (B, 4, S)
        away = (known[:, 0] - expected) * known[:, 2]
        apart = _times(self._root[length, counts], away)  # (B, 4, S)
        return np.asarray(np.add.reduce(np.square(apart, out=apart), axis=1))

    def _of_anybody(
        self, now: NDArray[np.float64], length: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """The squared Mahalanobis distance (B, S) of the session from anybody's."""
        pairs = now[:, _PAIRS[0]] * now[:, _PAIRS[1]]  # (B, 21)
        if not length.any():
            return product(pairs, self._anybody[0])
        distance = np.empty((len(now), len(self._sets)))
        for each in np.unique(length):
            rows = length == each
            distance[rows] = product(pairs[rows], self._anybody[each])
        return distance

    def _tables(self) -> None:
        """For each length and each k: the regression's slope, the inverse Cholesky factor of what it leaves, by how
        much that is narrower than what is known of anybody; and anybody's inverse covariance as factors of products of
        features."""
        shape = (MAX_HISTORY + 1, WIDTH, WIDTH, len(self._sets))
        lengths = len(LENGTHS)
        self._slope, self._root = np.zeros(shape), np.zeros((lengths, *shape))
        self._log_scale = np.zeros((lengths, MAX_HISTORY + 1, len(self._sets)))
        self._anybody = np.zeros((lengths, len(_PAIRS[0]), len(self._sets)))  # (L, 21, S)
        for s, known in enumerate(self._sets):
            d, chosen = len(known), np.array(known)
            for k in range(MAX_HISTORY + 1):
                found = [self.population.regression(chosen, k, length) for length in LENGTHS]
                factor = np.linalg.cholesky(np.array([left for _, left in found]))  # (L, d, d)
                self._slope[k, :d, :d, s] = found[0][0]
                self._root[:, k, :d, :d, s] = np.linalg.inv(factor)
                diagonal = np.diagonal(factor, axis1=1, axis2=2)
                self._log_scale[:, k, s] = -np.log(diagonal).sum(axis=1)
            for each, length in enumerate(LENGTHS):
                inverse = np.zeros((FEATURES, FEATURES))
                _, anybody = self.population.regression(chosen, 0, length)
                inverse[np.ix_(chosen, chosen)] = np.linalg.inv(anybody)
                self._anybody[each, :, s] = (2.0 * inverse - np.diag(np.diag(inverse)))[_PAIRS]
        self._log_scale -= self._log_scale[:, :1].copy()

    def _shares(self, known: list[tuple[int, ...]]) -> NDArray[np.float64]:
        weights = shapley_weights()  # (6, 64)
        share = np.zeros((len(self._sets), FEATURES))
        for coalition in range(COALITIONS):
            if known[coalition]:
                share[self._sets.index(known[coalition])] += weights[:, coalition]
        return share


def _length(error_percent: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which of `LENGTHS` (B,) sessions with error rates (B,) have at least."""
    sentences = least_keys(error_percent) / KEYS_OF_ONE
    return np.asarray(np.maximum(np.searchsorted(LENGTHS, sentences, side="right") - 1, 0))


def _padded(chosen: tuple[int, ...]) -> list[int]:
    return [*chosen, *[0] * (WIDTH - len(chosen))]


def _times(matrices: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each set's matrix (.., 4, 4, S) times its vector (B, 4, S): (B, 4, S)."""
    return np.asarray(np.add.reduce(matrices * vectors[:, None], axis=2))
