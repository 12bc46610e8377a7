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

from ml.blocks import product
from ml.features import FEATURES, summary
from ml.rich_population import CLIP, RichPopulation
from ml.sessions import NUMBERS, Sessions
from ml.statistics import ALL, CHANNEL, COUNT_OF, COUNTED, DERIVED, SUMMARY, WINDOWS
from ml.whitening import bordered, diagonal, whiten

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
BLOCK: Final = (
    64  # rows at a time; with 32 the calls cost a tenth more, and the cache gains nothing
)
SITTING_HOURS: Final = 6.0
_ORDER: Final = np.argsort(CHANNEL, kind="stable")  # (38,) channel by channel
_SUMMARY: Final = np.argsort(_ORDER)[: len(SUMMARY)]  # (4,) where the summary's statistics lie
# Where the 38 values and their counts lie in a derived row. It has none of the summary's values: until these are
# written, the number of windows stands there, since a zero would mark them as missing.
_VALUE: Final = np.where(np.less(_ORDER, len(SUMMARY)), WINDOWS, _ORDER - len(SUMMARY))
_COUNT: Final = COUNTED.start + COUNT_OF[_ORDER]
_UP_TO: Final = np.where(CHANNEL[_ORDER][:, None] <= np.arange(FEATURES), 1.0, 0.0)  # (38, 6)


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
        self._residual = bordered(p.residual[np.ix_(_ORDER, _ORDER)])
        self._between = p.between[np.ix_(_ORDER, _ORDER)]
        self._variance = np.diag(self._between).copy()
        self._alpha, self._scale = p.alpha[_ORDER], p.scale[_ORDER]
        self._offset = (p.centre / p.scale + p.mean)[_ORDER]
        self._usual = np.maximum(p.usual, 0.3)
        low, high = p.centre - CLIP * p.scale, p.centre + CLIP * p.scale
        # As wide as all rows of a block: whole arrays are worked through, in the order in which they lie.
        self._low, self._high, self._ratio = (
            np.tile(each[_ORDER], (BLOCK, 1)) for each in (low, high, p.beta / p.alpha)
        )
        self._tables()

    def channels(self, sessions: Sessions) -> Floats:
        """Six log-likelihood ratios (B, 6) in nats of sessions that all have a derived row and a history."""
        out = np.zeros((len(sessions), FEATURES))
        for start in range(0, len(sessions), BLOCK):
            out[start : start + BLOCK] = self._block(sessions[start : start + BLOCK])
        return out

    def _block(self, sessions: Sessions) -> Floats:
        counts = np.minimum(sessions.counts, MAX_HISTORY)
        known, found, noise, spread = self._pooled(sessions, counts)
        level = self._level(sessions, counts)  # (b,)
        few = self._needs_exact(noise[1], counts)  # (b,)
        if not few.any():
            return self._by_table(known, found, noise, spread, counts, level)
        out = np.zeros((len(sessions), FEATURES))
        for i, ratios in (
            (np.flatnonzero(few), self._exactly),
            (np.flatnonzero(~few), self._by_table),
        ):
            if len(i):
                out[i] = ratios(
                    known[:, i], found[:, i], noise[:, i], spread[i], counts[i], level[i]
                )
        return out

    def _needs_exact(self, noise: Floats, counts: Rows) -> Bools:
        """Whether the history (B,) is short, or knows too little of too many statistics for the table."""
        poor = noise > POOR * self._usual_noise[counts]
        return np.asarray((counts < FROM_TABLE) | (poor.sum(axis=1) > MOST_POOR))

    def _pooled(self, sessions: Sessions, counts: Rows) -> tuple[Bools, Floats, Floats, Floats]:
        """Of the session and of its history, (2, B, 38) each: whether a statistic is known, its value in standard
        units, and its noise; and the person's spread (B, 38). All channel by channel."""
        values, weight = self._weights(sessions, counts)  # (1+K, B, 38), (1+K, B, 38)
        past, past_weight = values[1:], weight[1:]
        number = np.add.reduce((past_weight > 0).view(np.uint8), axis=0)  # (B, 38), at most 50
        total, found = np.empty((2, *number.shape)), np.empty((2, *number.shape))
        total[0], found[0] = weight[0], values[0]
        np.add.reduce(past_weight, axis=0, out=total[1])
        known = total > 0
        total[~known] = 1.0
        past_weight *= past
        first = np.add.reduce(past_weight, axis=0)
        past_weight *= past
        second = np.add.reduce(past_weight, axis=0)
        np.divide(first, total[1], out=found[1])
        scatter = np.maximum(second - found[1] * first, 0.0) / (
            self._alpha * np.square(self._scale)
        )
        spread = (PRIOR_SESSIONS + scatter) / (PRIOR_SESSIONS + np.maximum(number, 1) - 1.0)
        found /= self._scale
        found -= self._offset
        found *= known
        return known, found, np.where(known, self._alpha / total, MISSING), spread

    def _weights(self, sessions: Sessions, counts: Rows) -> tuple[Floats, Floats]:
        """The clipped values (1+K, B, 38) of the session and its history, and alpha times their precision:
        alpha / (alpha / n + beta / c) = c / (c / n + beta / alpha); 0 = missing.

        Patterns come first, so that sums run from the newest pattern to the oldest.
        """
        rows, longest = len(sessions), int(counts.max())
        numbers = np.empty((1 + longest, rows, NUMBERS))
        numbers[0], numbers[1:] = sessions.current, sessions.history[:, :longest].swapaxes(0, 1)
        derived = np.zeros((1 + longest, rows, DERIVED))
        if sessions.derived is not None:
            derived[0] = sessions.derived
        if sessions.past_derived is not None:
            derived[1:] = sessions.past_derived[:, :longest].swapaxes(0, 1)
        values, c = (derived.take(each, axis=2, mode="clip") for each in (_VALUE, _COUNT))
        np.copyto(c, 0.0, where=values == 0.0)
        values[..., _SUMMARY] = summary(numbers)
        windows = derived[..., WINDOWS]  # (1+K, B)
        if not windows.all():
            for at, usual in zip(_SUMMARY, self._usual, strict=False):
                c[windows == 0.0, at] = usual
        if counts.min() < longest:
            c[1:][np.arange(longest)[:, None] >= counts] = 0.0
        np.maximum(values, self._low[:rows], out=values)
        np.minimum(values, self._high[:rows], out=values)
        if (windows > 1.0).any():
            weight = c / np.maximum(windows, 1.0)[:, :, None]
            weight += self._ratio[:rows]
        else:
            weight = c + self._ratio[:rows]
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
        self, known: Bools, found: Floats, noise: Floats, spread: Floats, counts: Rows, level: Rows
    ) -> Floats:
        """The channels by the joint covariance of history and session."""
        seen, h, noise_h = known[0] & known[1], found[1], noise[1]
        x, noise_x = np.where(seen, found[0], 0.0), np.where(seen, noise[0], MISSING)
        own = np.where(seen, noise_x * spread, MISSING)
        size = 2 * ALL
        joint = np.empty((len(x), size + 1, size + 1))
        joint[:, :ALL, ALL:size] = self._between
        for at, each, base in ((0, noise_h, self._before), (ALL, own, self._anybody)):
            deviation = np.where(each < MISSING, np.sqrt(each), 0.0)
            block = base[level, :ALL, :ALL] + self._residual[:ALL, :ALL] * (
                deviation[:, :, None] * deviation[:, None]
            )
            joint[:, at : at + ALL, at : at + ALL] = block
            diagonal(joint)[:, at : at + ALL] += np.where(each < MISSING, 0.0, MISSING)
        z, logs = whiten(joint, np.concatenate([h, x], axis=1))
        anybody = whiten(self._with_noise(noise_x[None], (self._anybody[level],))[0], x)
        return _shared_out(
            np.stack([z[:, ALL:], anybody[0]]), np.stack([logs[:, ALL:], anybody[1]]), seen
        )

    def _by_table(
        self, known: Bools, found: Floats, noise: Floats, spread: Floats, counts: Rows, level: Rows
    ) -> Floats:
        """The channels with the regression on a history of usual counts; what this one knows less is added as noise."""
        seen = known[0] & known[1]
        certain = self._variance / (self._variance + noise[1])  # (B, 38)
        usual = self._usually_certain[counts]
        expected = np.matmul((found[1] * certain / usual)[:, None], self._slope[level, counts])[
            :, 0
        ]
        both = np.empty((2, *seen.shape))  # of this person, and of anybody
        np.multiply(noise[0], spread, out=both[0])
        both[1] = noise[0]
        both[:, ~seen] = MISSING
        matrix = self._with_noise(both, (self._left[level, counts], self._anybody[level]))
        less_known = np.maximum(usual - certain, 0.0) * self._variance
        diagonal(matrix)[0, :, :ALL] += less_known * seen
        both[1] = found[0]
        np.subtract(found[0], expected, out=both[0])
        both *= seen
        return _shared_out(*whiten(matrix, both), seen)

    def _with_noise(self, noise: Floats, bases: tuple[Floats, ...]) -> Floats:
        """N times a base (B, 39, 39) + S R S of variances (N, B, 38); what is missing is uncorrelated."""
        here = noise < MISSING
        deviation = np.zeros((*noise.shape[:-1], ALL + 1))
        np.sqrt(noise, out=deviation[..., :ALL], where=here)
        matrix = deviation[..., :, None] * deviation[..., None, :]
        matrix *= self._residual
        for each, base in zip(matrix, bases, strict=True):
            np.add(each, base, out=each)
        if not here.all():
            diagonal(matrix)[..., :ALL] += np.where(here, 0.0, MISSING)
        return matrix

    def _tables(self) -> None:
        """For each level of drift (L) and each k: G transposed, B - G B, and the usual noise of k windows' mean."""
        p, b = self.population, self._between
        now = [self.drift.within, *(self.drift.between for _ in self.drift.sittings)]
        before = [self.drift.within / 4, *(self.drift.between / n for n in self.drift.sittings)]
        self._anybody = bordered(b * (1 + np.array(now)[:, None, None]))  # (L, 39, 39)
        self._before = bordered(b * (1 + np.array(before)[:, None, None]))
        one = (p.alpha + p.beta / self._usual)[_ORDER]
        self._usual_noise = one / np.maximum(np.arange(MAX_HISTORY + 1), 1)[:, None]  # (51, 38)
        self._usually_certain = self._variance / (self._variance + self._usual_noise)
        deviation = np.sqrt(self._usual_noise)
        noise = self._residual[:ALL, :ALL] * deviation[:, :, None] * deviation[:, None]
        self._slope = np.zeros((len(now), MAX_HISTORY + 1, ALL, ALL))
        self._left = np.zeros((len(now), MAX_HISTORY + 1, ALL + 1, ALL + 1))
        for level in range(len(now)):
            history = self._before[level, :ALL, :ALL] + noise  # (51, 38, 38)
            slope = np.linalg.solve(history, np.broadcast_to(b, noise.shape))  # G transposed
            self._slope[level] = slope
            left = self._anybody[level, :ALL, :ALL] - np.swapaxes(slope, 1, 2) @ b
            self._left[level] = bordered(left)


def _shared_out(z: Floats, logs: Floats, seen: Bools) -> Floats:
    """The channels (B, 6): what each statistic adds to the ratio of those before it, summed by channel.

    From the whitened sessions (2, B, 38) and the factors' diagonals (2, B, 38) of this person and of anybody.
    """
    rows = len(seen)
    parts = np.empty((4, rows, ALL))
    np.square(z, out=parts[:2])
    np.subtract(logs[1], logs[0], out=parts[2])
    parts[3] = 1.0
    parts *= seen
    parts = product(parts.reshape(-1, ALL), _UP_TO).reshape(4, rows, FEATURES)
    tails = np.log1p(parts[:2] / FREEDOM)
    total = (FREEDOM + parts[3]) / 2 * (tails[1] - tails[0]) + parts[2]  # (B, 6)
    total[:, 1:] -= total[:, :-1].copy()
    return np.asarray(total)
