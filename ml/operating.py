"""Operating points: thresholds by name, each with the error rates that were measured at it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from ml.metrics import Floats, Scored, at_threshold, bootstrap

# Share of impostors that each point may let through in the setting it is measured in.
FALSE_MATCHES: Final = {"convenient": 0.05, "balanced": 0.01, "secure": 0.001}
REFUSED_GENUINE: Final = 0.01  # of genuine sessions lie below `reject_below`, at most


@dataclass(frozen=True)
class Rate:
    """An error rate with its 95 % interval, by bootstrap over people."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OperatingPoint:
    """A confidence (0..100) from which to accept, and what happened at it.

    `fmr` is the share of impostors' sessions accepted, `fnmr` that of genuine ones not accepted, in `setting`.
    """

    threshold: int
    fmr: Rate
    fnmr: Rate
    setting: str

    def entry(self) -> dict[str, Any]:
        """As plain numbers and names."""
        return asdict(self)

    @classmethod
    def of(cls, entry: dict[str, Any]) -> OperatingPoint:
        """The point that `entry` describes. Raises KeyError or TypeError when something is missing."""
        fmr, fnmr = Rate(**entry["fmr"]), Rate(**entry["fnmr"])
        return cls(int(entry["threshold"]), fmr, fnmr, str(entry["setting"]))


def operating_points(
    scored: Scored, setting: str, rng: np.random.Generator, resamples: int = 200
) -> dict[str, OperatingPoint]:
    """The least confidence of each name at which no more impostors than allowed would be accepted."""
    points = {}
    for name, allowed in FALSE_MATCHES.items():
        threshold = _least(scored, allowed)

        def measured(row: Floats | None, at: int = threshold) -> dict[str, float]:
            figures = at_threshold(scored, at, row)
            return {"fmr": figures["far"], "fnmr": figures["frr"]}

        found = bootstrap(scored, measured, rng, resamples)
        fmr, fnmr = (Rate(**found[rate]) for rate in ("fmr", "fnmr"))
        points[name] = OperatingPoint(threshold, fmr, fnmr, setting)
    return points


def reject_below(scored: Scored) -> int:
    """The greatest confidence, at most 50, below which no more than 1 % of the genuine sessions lie."""
    confidence = np.floor(scored.probability[scored.genuine] * 100 + 0.5)
    shares = [float((confidence < limit).mean()) for limit in range(51)]
    return max(limit for limit, share in enumerate(shares) if share <= REFUSED_GENUINE)


def _least(scored: Scored, allowed: float) -> int:
    confidence = np.floor(scored.probability[~scored.genuine] * 100 + 0.5)
    return next((t for t in range(51, 101) if (confidence >= t).mean() <= allowed), 100)
