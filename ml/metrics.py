"""Error rates of a score, at one global threshold, with intervals by bootstrap over users.

FAR and FRR here are the false match and false non-match rates of the comparison (ISO/IEC 19795-1): no session failed to
be acquired. Genuine and impostor comparisons weigh alike in sum, so accuracy and precision are those at even odds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 200
BINS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """N comparisons: the probability that each is genuine, whether it is, and whose history it was held against."""

    probability: Floats  # (N,)
    genuine: NDArray[np.bool_]  # (N,)
    user: NDArray[np.int64]  # (N,)

    def weights(self, per_row: Floats | None = None) -> Floats:
        """Row weights (N,), scaled so that genuine and impostors sum to a half each."""
        row = np.ones(len(self.genuine)) if per_row is None else per_row
        sums = [max(float(row[self.genuine == side].sum()), 1e-300) for side in (False, True)]
        return np.where(self.genuine, row / sums[1], row / sums[0]) / 2.0


@dataclass(frozen=True)
class Rates:
    """The error rates at every possible threshold, ascending: accept from `threshold` on."""

    threshold: Floats  # (T,) distinct scores, then one above all
    far: Floats  # (T,) impostors accepted
    frr: Floats  # (T,) genuine refused

    @property
    def auc(self) -> float:
        """The probability that a genuine comparison scores above an impostor's; ties count a half."""
        return float(
            np.sum((self.far[:-1] - self.far[1:]) * (1 - (self.frr[1:] + self.frr[:-1]) / 2))
        )

    @property
    def eer(self) -> float:
        """The rate where both are equal, on the line between the two nearest thresholds."""
        after = int(np.argmax(self.frr >= self.far))
        if after == 0:
            return float(self.frr[0])
        gap_before = self.far[after - 1] - self.frr[after - 1]
        gap_after = self.frr[after] - self.far[after]
        part = gap_before / (gap_before + gap_after)
        return float(self.far[after - 1] + part * (self.far[after] - self.far[after - 1]))

    def far_at_frr(self, frr: float) -> float:
        """The least FAR at which at most `frr` of the genuine are refused."""
        return float(self.far[np.searchsorted(self.frr, frr, side="right") - 1])

    def frr_at_far(self, far: float) -> float:
        """The least FRR at which at most `far` of the impostors are accepted."""
        return float(self.frr[np.argmax(self.far <= far)])


class Sweep:
    """The order of one set of comparisons, so that many weighings of its rows need not sort it again."""

    def __init__(self, scored: Scored) -> None:
        self._scored = scored
        self._threshold, self._step = np.unique(scored.probability, return_inverse=True)

    def rates(self, per_row: Floats | None = None) -> Rates:
        """The rates, rows weighed by `per_row` (N,) within their side."""
        weight = self._scored.weights(per_row) * 2.0
        steps = len(self._threshold)
        genuine = np.bincount(self._step, weight * self._scored.genuine, steps)
        impostor = np.bincount(self._step, weight * ~self._scored.genuine, steps)
        frr = np.concatenate([[0.0], np.cumsum(genuine)])
        far = np.concatenate([np.cumsum(impostor[::-1])[::-1], [0.0]])
        return Rates(np.append(self._threshold, np.inf), far, frr)


def rates(scored: Scored, per_row: Floats | None = None) -> Rates:
    """The rates of `scored`, rows weighed by `per_row` (N,) within their side."""
    return Sweep(scored).rates(per_row)


def at_threshold(
    scored: Scored, confidence: int, per_row: Floats | None = None
) -> dict[str, float]:
    """Accuracy, precision, recall, F1, FAR and FRR where a confidence (0..100) from `confidence` on is accepted."""
    weight = scored.weights(per_row)
    accepted = np.floor(scored.probability * 100.0 + 0.5) >= confidence
    true_accept = float(weight[accepted & scored.genuine].sum())
    false_accept = float(weight[accepted & ~scored.genuine].sum())
    recall = 2.0 * true_accept
    precision = true_accept / max(true_accept + false_accept, 1e-300)
    return {
        "accuracy": true_accept + 0.5 - false_accept,
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(precision + recall, 1e-300),
        "far": 2.0 * false_accept,
        "frr": 1.0 - recall,
    }


def calibration_error(scored: Scored, per_row: Floats | None = None) -> float:
    """Expected calibration error: how far, on average, ten bins of probability lie from the share of genuine in them.

    Source: Naeini et al., "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    weight = scored.weights(per_row)
    bins = np.minimum((scored.probability * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weight * (scored.probability - scored.genuine), BINS)
    return float(np.abs(gaps).sum())


def summary(
    scored: Scored, confidence: int, per_row: Floats | None = None, sweep: Sweep | None = None
) -> dict[str, float]:
    """Every figure of the report."""
    swept = (sweep or Sweep(scored)).rates(per_row)
    return {
        **at_threshold(scored, confidence, per_row),
        "auc": swept.auc,
        "eer": swept.eer,
        "frr_at_far_1_percent": swept.frr_at_far(0.01),
        "calibration_error": calibration_error(scored, per_row),
    }


def with_intervals(
    scored: Scored, confidence: int, rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, dict[str, float]]:
    """`summary` with a 95 % interval beside each figure: {name: {value, low, high}}."""
    sweep = Sweep(scored)
    return bootstrap(scored, lambda row: summary(scored, confidence, row, sweep), rng, resamples)


def bootstrap(
    scored: Scored,
    figures: Callable[[Floats | None], dict[str, float]],
    rng: np.random.Generator,
    resamples: int,
) -> dict[str, dict[str, float]]:
    """Figures with their 2.5 % and 97.5 % quantiles over resamples of whole users.

    Comparisons with one user are not independent, so users are drawn with replacement and keep all their rows.
    """
    _, user = np.unique(scored.user, return_inverse=True)
    users = int(user.max()) + 1
    draws = []
    for _ in range(resamples):
        times = rng.multinomial(users, np.full(users, 1.0 / users)).astype(np.float64)
        draws.append(list(figures(times[user]).values()))
    low, high = np.quantile(np.array(draws), [0.025, 0.975], axis=0)
    return {
        name: {"value": value, "low": float(low[i]), "high": float(high[i])}
        for i, (name, value) in enumerate(figures(None).items())
    }
