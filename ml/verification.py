"""What a model reaches in each row of `ml.protocol`: figures at one global threshold, with intervals over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ml.enrolled import Enrolled, compare, score
from ml.metrics import (
    Floats,
    Scored,
    Sweep,
    at_threshold,
    bootstrap,
    calibration_error,
    rates,
)
from ml.operating import OperatingPoint
from ml.protocol import Row
from ml.scorer import Scorer

FALSE_ACCEPTS: Final = {"1": 0.01, "2_1": 0.021, "0_1": 0.001}  # the FARs that FRR is told at
RESAMPLES: Final = 200
DUST: Final = 1e-12  # what subtracting shares from 1 may leave of nothing


@dataclass(frozen=True)
class Measured:
    """One row's outcome. `figures` and `points` hold {value, low, high}; `scored` what they come from."""

    key: str
    name: str
    counts: dict[str, int]
    figures: dict[str, dict[str, float]]
    points: dict[str, dict[str, Any]]
    scored: Scored

    def entry(self) -> dict[str, Any]:
        """What stands in report.json."""
        return {
            "name": self.name,
            "counts": self.counts,
            "figures": self.figures,
            "operating_points": self.points,
        }


def measure(scorer: Scorer, row: Row, seed: int, resamples: int = RESAMPLES) -> Measured:
    """The figures of one row; impostors and resamples are drawn from `seed`."""
    rng = np.random.default_rng(seed)
    scored = score(scorer, compare(row.enrolled, row.impostors, rng))
    sweep = Sweep(scored)
    points = scorer.model.operating_points
    found = bootstrap(scored, lambda weight: figures(scored, sweep, weight), rng, resamples)
    return Measured(
        row.key,
        row.name,
        counted(scored),
        {name: bounded(figure, len(row.enrolled)) for name, figure in found.items()},
        {name: _at(scored, point, rng, resamples) for name, point in points.items()},
        scored,
    )


def figures(scored: Scored, sweep: Sweep, per_row: Floats | None = None) -> dict[str, float]:
    """AUC, EER, FRR at each FAR, accuracy where both error rates are equal, calibration error."""
    swept = sweep.rates(per_row)
    eer = swept.eer
    return {
        "auc": swept.auc,
        "eer": eer,
        **{f"frr_at_far_{name}": swept.frr_at_far(far) for name, far in FALSE_ACCEPTS.items()},
        "accuracy_at_equal_rates": 1.0 - eer,
        "calibration_error": calibration_error(scored, per_row),
    }


def blind(scorer: Scorer, nobody_enrolled: Enrolled, impostors: int, seed: int) -> dict[str, float]:
    """What the score is worth without a history: AUC, EER, and the least and greatest confidence it gives."""
    scored = score(scorer, compare(nobody_enrolled, impostors, np.random.default_rng(seed)))
    confidence = whole(scored.probability)
    swept = rates(scored)
    return {
        "auc": swept.auc,
        "eer": swept.eer,
        "least_confidence": float(confidence.min()),
        "greatest_confidence": float(confidence.max()),
    }


def bounded(figure: dict[str, float], people: int) -> dict[str, float]:
    """A rate with an interval that ends at 3 / N where nothing happened: resampling nothing gives nothing.

    Where it always happened, the interval begins at 1 - 3 / N.
    """
    found = {name: min(max(value, 0.0), 1.0) for name, value in figure.items()}
    if found["high"] <= DUST:
        return {"value": 0.0, "low": 0.0, "high": min(3.0 / people, 1.0)}
    if found["low"] >= 1.0 - DUST:
        return {"value": 1.0, "low": max(1.0 - 3.0 / people, 0.0), "high": 1.0}
    return found


def whole(probability: Floats) -> Floats:
    """The confidence that leaves the service, 0..100."""
    return np.asarray(np.floor(probability * 100.0 + 0.5))


def counted(scored: Scored) -> dict[str, int]:
    """People, genuine and impostor comparisons."""
    return {
        "people": len(np.unique(scored.user)),
        "genuine": int(scored.genuine.sum()),
        "impostor": int((~scored.genuine).sum()),
    }


def share(
    people: Sequence[float] | Floats, rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, float]:
    """The mean of one number a person, with its 95 % interval by bootstrap over people.

    Where nothing at all happened, the rule of three bounds it: 3 / N (Hanley & Lippman-Hand, JAMA 1983).
    """
    values = np.asarray(people, dtype=np.float64)
    drawn = values[rng.integers(0, len(values), (resamples, len(values)))].mean(axis=1)
    low, high = (float(edge) for edge in np.quantile(drawn, [0.025, 0.975]))
    if not values.any():
        high = min(3.0 / len(values), 1.0)
    if (values == 1.0).all():
        low = max(1.0 - 3.0 / len(values), 0.0)
    return {"value": float(values.mean()), "low": low, "high": high}


def _at(
    scored: Scored, point: OperatingPoint, rng: np.random.Generator, resamples: int
) -> dict[str, Any]:
    """The rates at an operating point, of the whole confidence."""

    def measured(row: Floats | None) -> dict[str, float]:
        found = at_threshold(scored, point.threshold, row)
        return {"fmr": found["far"], "fnmr": found["frr"]}

    people = len(np.unique(scored.user))
    found = bootstrap(scored, measured, rng, resamples)
    return {
        "threshold": point.threshold,
        **{name: bounded(rate, people) for name, rate in found.items()},
    }
