"""The evidence of sessions with derived statistics: the joint ratio of 38 statistics, shared out by the chain rule.

With the figures of `ml.rich_population`, h the history's precision-weighted mean and N its noise:

    x | h ~ N(G h, B + N_x spread - G B),  G = B (B + N_h)^-1,  and of anybody  x ~ N(0, B + N_x)

B the covariance between people, N_x = S R S the session's noise, `spread` the person's own variance relative to the
population's, (40 + sum (z - h)^2 / s^2) / (40 + k - 1) for each statistic. Between sittings a share of B moves, see
`Drift`. The ratio is that of two Student-t densities with 50 degrees of freedom. The statistics are taken channel by
channel: the ratio of the first channel's, of the first two channels' and so on come out of the same Cholesky factors. A
channel is what its statistics add to those before it (chain rule), so the six sum exactly to the joint ratio.
(Normal-normal model: Gelman, "Bayesian Data Analysis", 3rd edition, section 3.5. As a model of people: S. Ioffe,
"Probabilistic Linear Discriminant Analysis", ECCV 2006.)

A statistic that is missing on either side has a huge variance and no correlation: it says nothing. From five patterns
on, G is that of a history with the usual counts, from a table; the exact one differs little (EER 3.33 to 3.34 %). Every
sum runs over a row by itself, in one order: its evidence has the same bits alone and in any batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.features import FEATURES
from ml.rich_population import CLIP, RichPopulation, statistics_of
from ml.sessions import Sessions
from ml.statistics import (
    ALL,
    CHANNEL,
    COUNT_OF,
    COUNTED,
    DERIVED,
    SUMMARY,
    VALUES,
    WINDOWS,
    summary,
)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

MAX_HISTORY: Final = 50
FREEDOM: Final = 50.0  # Student-t of 38 statistics; 25 to 100 came out alike
PRIOR_SESSIONS: Final = 40.0  # how slowly a person's own spread is believed
FROM_TABLE: Final = 5  # patterns; below, 8.3 % EER of the exact form against 9.4 % with one pattern
POOR: Final = 3.0  # times the usual noise
MOST_POOR: Final = 8  # statistics; a password has no space bar, no shift and few fingers
MISSING: Final = 1e6
_TOP: Final = 1e12
BLOCK: Final = 32  # rows at a time: what is worked on stays in a core's cache
_ORDER: Final = np.argsort(CHANNEL, kind="stable")  # (38,) channel by channel
_STARTS: Final = np.searchsorted(CHANNEL[_ORDER], np.arange(FEATURES))  # (6,)
_WIDE: Final = ALL + 1  # of a bordered matrix, see `_whiten`
SITTING_HOURS: Final = 6.0


@dataclass(frozen=True)
class Drift:
    """The share of the covariance between people by which a person moves.

    `within` from pattern to pattern of one sitting, measured; `between` from sitting to sitting, a guess: the study has
    one sitting a person.
    """

    within: float = 0.03
    between: float = 0.10
    sittings: tuple[int, ...] = (1, 2, 4, 8, 16)  # in the history; between these, the lesser counts


class RichEvidence:
    """Weighs rich sessions against their histories with one population's figures; holds tables, no state."""

    def __init__(self, population: RichPopulation, drift: Drift | None = None) -> None:
        self.population = population
        self.drift = drift or Drift()
        p = population
        self._residual = _bordered(p.residual[np.ix_(_ORDER, _ORDER)])
        self._low = p.centre - CLIP * p.scale
        self._high = p.centre + CLIP * p.scale
        self._usual = np.maximum(p.usual, 0.3)
        self._between = p.between[np.ix_(_ORDER, _ORDER)]
        self._variance = np.diag(self._between).copy()
        self._tables()

    def channels(self, sessions: Sessions) -> Floats:
        """Six log-likelihood ratios (B, 6) in nats of sessions that all have a derived row and a history."""
        out = np.zeros((len(sessions), FEATURES))
        for start in range(0, len(sessions), BLOCK):
            out[start : start + BLOCK] = self._block(sessions[start : start + BLOCK])
        return out

    def _block(self, sessions: Sessions) -> Floats:
        x, noise_x = self._now(sessions)  # (b, 38), (b, 38)
        counts = np.minimum(sessions.counts, MAX_HISTORY)
        mean, noise, spread = self._past(sessions, counts)  # (b, 38) each, channel by channel
        level = self._level(sessions, counts)  # (b,)
        few = self._needs_exact(noise, counts)  # (b,)
        if not few.any():
            return self._by_table(x, noise_x, mean, noise, spread, counts, level)
        out = np.zeros((len(sessions), FEATURES))
        for i, ratios in (
            (np.flatnonzero(few), self._exactly),
            (np.flatnonzero(~few), self._by_table),
        ):
            if len(i):
                out[i] = ratios(x[i], noise_x[i], mean[i], noise[i], spread[i], counts[i], level[i])
        return out

    def _needs_exact(self, noise: Floats, counts: Rows) -> Bools:
        """Whether the history (B,) is short, or knows too little of too many statistics for the table."""
        poor = noise > POOR * self._usual_noise[counts]
        return np.asarray((counts < FROM_TABLE) | (poor.sum(axis=1) > MOST_POOR))

    def _now(self, sessions: Sessions) -> tuple[Floats, Floats]:
        assert sessions.derived is not None
        p = self.population
        values, counts, windows = statistics_of(sessions.current, sessions.derived)
        seen = counts > 0
        noise = p.alpha / windows[:, None] + p.beta / np.where(seen, counts, 1.0)
        x = np.where(seen, p.standard(values), 0.0)
        return x[:, _ORDER], np.where(seen, noise, MISSING)[:, _ORDER]

    def _past(self, sessions: Sessions, counts: Rows) -> tuple[Floats, Floats, Floats]:
        """The history's mean in standard units, its noise and the person's spread, (B, 38) each."""
        p = self.population
        values, weight = self._weights(sessions, counts)  # (K, B, 38), (K, B, 38)
        number = np.add.reduce((weight > 0).view(np.uint8), axis=0)  # (B, 38), at most 50
        total = np.add.reduce(weight, axis=0)
        weight *= values
        first = np.add.reduce(weight, axis=0)
        weight *= values
        second = np.add.reduce(weight, axis=0)
        known = total > 0
        total_or_1 = np.where(known, total, 1.0)
        raw = first / total_or_1
        scatter = np.maximum(second - raw * first, 0.0) / np.square(p.scale)
        spread = (PRIOR_SESSIONS + scatter) / (PRIOR_SESSIONS + np.maximum(number, 1) - 1.0)
        mean = np.where(known, (raw - p.centre) / p.scale - p.mean, 0.0)
        noise = np.where(known, 1.0 / total_or_1, MISSING)
        return mean[:, _ORDER], noise[:, _ORDER], spread[:, _ORDER]

    def _weights(self, sessions: Sessions, counts: Rows) -> tuple[Floats, Floats]:
        """The clipped values of the history and their precisions 1 / (alpha / n + beta / c); 0 = missing.

        Patterns come first and constants are as wide as all rows: whole arrays are worked through, in the order in
        which they lie, and sums run from the newest pattern to the oldest.
        """
        p, rows = self.population, len(sessions)
        longest = int(counts.max())
        history = sessions.history[:, :longest].swapaxes(0, 1)  # (K, B, 4)
        if sessions.past_derived is None:
            derived = np.zeros((longest, rows, DERIVED))
        else:
            derived = sessions.past_derived[:, :longest].swapaxes(0, 1)  # (K, B, 58)
        values, c = np.empty((longest, rows, ALL)), np.empty((longest, rows, ALL))
        values[..., : len(SUMMARY)] = summary(history)
        values[..., len(SUMMARY) :] = derived[..., VALUES]
        c[...] = derived[..., COUNTED][..., COUNT_OF]
        np.copyto(c, 0.0, where=values == 0.0)
        np.copyto(c[..., : len(SUMMARY)], derived[..., COUNTED][..., COUNT_OF[: len(SUMMARY)]])
        windows = derived[..., WINDOWS]  # (K, B)
        if not windows.all():
            c[windows == 0.0, : len(SUMMARY)] = self._usual[: len(SUMMARY)]
        if counts.min() < longest:
            c[np.arange(longest)[:, None] >= counts] = 0.0
        low, high, alpha, beta = (
            np.broadcast_to(each, (rows, ALL)).copy()
            for each in (self._low, self._high, p.alpha, p.beta)
        )
        np.minimum(np.maximum(values, low, out=values), high, out=values)
        weight = c * alpha
        if (windows > 1.0).any():
            weight /= np.maximum(windows, 1.0)[:, :, None]
        weight += beta
        np.divide(c, weight, out=weight)
        return values, weight

    def _level(self, sessions: Sessions, counts: Rows) -> Rows:
        """Which table of drift (B,): 0 = the history's newest pattern is of the same sitting as the session."""
        ages = sessions.ages_hours
        if ages is None:
            return np.zeros(len(sessions), dtype=np.int64)
        older = ages[:, 1:MAX_HISTORY]
        apart = older - ages[:, : older.shape[1]] > SITTING_HOURS  # (B, K-1)
        both = np.arange(1, apart.shape[1] + 1) < counts[:, None]
        sittings = 1 + (apart & both).sum(axis=1)
        level = np.searchsorted(np.array(self.drift.sittings), sittings, side="right")
        return np.asarray(np.where(ages[:, 0] > SITTING_HOURS, level, 0))

    def _exactly(
        self,
        x: Floats,
        noise_x: Floats,
        h: Floats,
        noise_h: Floats,
        spread: Floats,
        counts: Rows,
        level: Rows,
    ) -> Floats:
        """The channels by the joint covariance of history and session."""
        between, residual = self._between, self._residual[:ALL, :ALL]
        seen = (noise_x < MISSING) & (noise_h < MISSING)
        x, noise_x = np.where(seen, x, 0.0), np.where(seen, noise_x, MISSING)
        own = np.where(noise_x < MISSING, noise_x * spread, MISSING)
        size = 2 * ALL
        joint = np.empty((len(x), size + 1, size + 1))
        joint[:, ALL:size, :ALL] = between
        for at, noise, base in ((0, noise_h, self._before), (ALL, own, self._anybody)):
            deviation = np.where(noise < MISSING, np.sqrt(noise), 0.0)
            block = base[level, :ALL, :ALL] + residual * deviation[:, :, None] * deviation[:, None]
            joint[:, at : at + ALL, at : at + ALL] = block
            _diagonal(joint)[:, at : at + ALL] += np.where(noise < MISSING, 0.0, MISSING)
        z, logs = _whiten(joint, np.concatenate([h, x], axis=1))
        anybody = _whiten(self._with_noise(noise_x, self._anybody[level]), x)
        return _shared_out((z[:, ALL:], logs[:, ALL:]), anybody, seen)

    def _by_table(
        self,
        x: Floats,
        noise_x: Floats,
        h: Floats,
        noise_h: Floats,
        spread: Floats,
        counts: Rows,
        level: Rows,
    ) -> Floats:
        """The channels with the regression on a history of usual counts; what this one knows less is added as noise."""
        variance = self._variance
        seen = (noise_x < MISSING) & (noise_h < MISSING)
        noise_x = np.where(seen, noise_x, MISSING)
        usual = self._usual_noise[counts]  # (B, 38)
        h = h * (variance + usual) / (variance + noise_h)
        less_known = variance**2 / (variance + usual) - variance**2 / (variance + noise_h)
        expected = np.einsum("bji,bj->bi", self._slope[level, counts], h)
        left = self._with_noise(
            np.where(seen, noise_x * spread, MISSING), self._left[level, counts]
        )
        _diagonal(left)[:, :ALL] += np.where(seen, np.maximum(less_known, 0.0), 0.0)
        anybody = self._with_noise(noise_x, self._anybody[level])
        own = _whiten(left, np.where(seen, x - expected, 0.0))
        return _shared_out(own, _whiten(anybody, np.where(seen, x, 0.0)), seen)

    def _with_noise(self, noise: Floats, base: Floats) -> Floats:
        """`base` + S R S (B, 39, 39) of variances (B, 38); what is missing is uncorrelated."""
        here = noise < MISSING
        deviation = np.zeros((len(noise), _WIDE))
        np.sqrt(noise, out=deviation[:, :ALL], where=here)
        matrix = deviation[:, :, None] * deviation[:, None]
        matrix *= self._residual
        matrix += base
        if not here.all():
            _diagonal(matrix)[:, :ALL] += np.where(here, 0.0, MISSING)
        return matrix

    def _tables(self) -> None:
        """For each level of drift (L) and each k: G transposed, B - G B, and the usual noise of k windows' mean."""
        p, b = self.population, self._between
        now = [self.drift.within, *(self.drift.between for _ in self.drift.sittings)]
        before = [self.drift.within / 4, *(self.drift.between / n for n in self.drift.sittings)]
        self._anybody = _bordered(b * (1 + np.array(now)[:, None, None]))  # (L, 39, 39)
        self._before = _bordered(b * (1 + np.array(before)[:, None, None]))
        one = (p.alpha + p.beta / self._usual)[_ORDER]
        self._usual_noise = one / np.maximum(np.arange(MAX_HISTORY + 1), 1)[:, None]  # (51, 38)
        deviation = np.sqrt(self._usual_noise)
        noise = self._residual[:ALL, :ALL] * deviation[:, :, None] * deviation[:, None]
        self._slope = np.zeros((len(now), MAX_HISTORY + 1, ALL, ALL))
        self._left = np.zeros((len(now), MAX_HISTORY + 1, _WIDE, _WIDE))
        for level in range(len(now)):
            history = self._before[level, :ALL, :ALL] + noise  # (51, 38, 38)
            slope = np.linalg.solve(history, np.broadcast_to(b, noise.shape))  # G transposed
            self._slope[level] = slope
            left = self._anybody[level, :ALL, :ALL] - np.swapaxes(slope, 1, 2) @ b
            self._left[level] = _bordered(left)


def _bordered(matrix: Floats) -> Floats:
    """(.., 38, 38) with a last row and column of zeros, (.., 39, 39)."""
    wide = np.zeros((*matrix.shape[:-2], _WIDE, _WIDE))
    wide[..., :ALL, :ALL] = matrix
    return wide


def _diagonal(matrix: Floats) -> Floats:
    """The diagonals (B, M) of contiguous matrices (B, M, M), as a view to write to."""
    rows, size, _ = matrix.shape
    return matrix.reshape(rows, size * size)[:, :: size + 1]


def _whiten(bordered: Floats, x: Floats) -> tuple[Floats, Floats]:
    """L^-1 x (B, M) and the logs of L's diagonal (B, M), L the Cholesky factor of the first M rows and columns of
    (B, M+1, M+1).

    The last row of the factor of [[S, x], [x', huge]] is L^-1 x: no triangular solve is needed. Only the lower triangle
    is read.
    """
    size = x.shape[1]
    bordered[:, size, :size] = x
    bordered[:, size, size] = _TOP
    factor = np.linalg.cholesky(bordered)
    diagonal = np.diagonal(factor, axis1=1, axis2=2)[:, :size]
    return np.asarray(factor[:, size, :size]), np.asarray(np.log(diagonal))


def _shared_out(own: tuple[Floats, Floats], anybody: tuple[Floats, Floats], seen: Bools) -> Floats:
    """The channels (B, 6): what each statistic adds to the ratio of those before it, summed by channel."""
    parts = np.empty((3, len(seen), ALL))
    parts[0], parts[1] = own[0] * own[0], anybody[0] * anybody[0]
    np.subtract(anybody[1], own[1], out=parts[2])
    parts *= seen
    parts = np.add.accumulate(np.add.reduceat(parts, _STARTS, axis=2), axis=2)  # (3, B, 6)
    known = np.add.accumulate(np.add.reduceat(seen, _STARTS, axis=1, dtype=np.float64), axis=1)
    tails = np.log1p(parts[:2] / FREEDOM)
    total = (FREEDOM + known) / 2 * (tails[1] - tails[0]) + parts[2]  # (B, 6)
    total[:, 1:] -= total[:, :-1].copy()
    return np.asarray(total)
