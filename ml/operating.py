"""Operating points: thresholds by name, each with the error rates that were measured at it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from ml.metrics import Floats, Scored, at_threshold, bootstrap

# Share of impostors that each point may let through in the setting it is measured in.
FALSE_MATCHES: Final = {"convenient": 0.05, "balanced": 0.015, "secure": 0.005}
GREATEST: Final = 99  # a threshold of 100 refuses every second genuine session
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

    `fmr` is the share of impostors' sessions accepted, `fnmr` that of genuine ones not accepted, in `setting`; the same
    of sessions of four numbers, where `setting` has rich ones: one threshold serves both, at other rates.
    """

    threshold: int
    fmr: Rate
    fnmr: Rate
    setting: str
    four_numbers_fmr: Rate | None = None
    four_numbers_fnmr: Rate | None = None

    def entry(self) -> dict[str, Any]:
        """As plain numbers and names."""
        return asdict(self)

    @classmethod
    def of(cls, entry: dict[str, Any]) -> OperatingPoint:
        """The point that `entry` describes. Raises KeyError or TypeError when something is missing."""
        fmr, fnmr = Rate(**entry["fmr"]), Rate(**entry["fnmr"])
        four = [entry.get(f"four_numbers_{name}") for name in ("fmr", "fnmr")]
        four_fmr, four_fnmr = (None if rate is None else Rate(**rate) for rate in four)
        return cls(int(entry["threshold"]), fmr, fnmr, str(entry["setting"]), four_fmr, four_fnmr)


def operating_points(
    scored: Scored,
    setting: str,
    rng: np.random.Generator,
    resamples: int = 200,
    four_numbers: Scored | None = None,
) -> dict[str, OperatingPoint]:
    """The least confidence of each name at which no more impostors than allowed would be accepted.

    `four_numbers` are the same comparisons by the four numbers only: their rates are told, they choose nothing.
    """
    points = {}
    for name, allowed in FALSE_MATCHES.items():
        threshold = _least(scored, allowed)
        fmr, fnmr = _rates(scored, threshold, rng, resamples)
        points[name] = OperatingPoint(threshold, fmr, fnmr, setting)
        if four_numbers is not None:
            fmr, fnmr = _rates(four_numbers, threshold, rng, resamples)
            points[name] = replace(points[name], four_numbers_fmr=fmr, four_numbers_fnmr=fnmr)
    return points


def reject_below(scored: Scored) -> int:
    """The greatest confidence, at most 50, below which no more than 1 % of the genuine sessions lie."""
    confidence = np.floor(scored.probability[scored.genuine] * 100 + 0.5)
    shares = [float((confidence < limit).mean()) for limit in range(51)]
    return max(limit for limit, share in enumerate(shares) if share <= REFUSED_GENUINE)


def _rates(
    scored: Scored, threshold: int, rng: np.random.Generator, resamples: int
) -> tuple[Rate, Rate]:
    """FMR and FNMR at a threshold."""

    def measured(row: Floats | None) -> dict[str, float]:
        figures = at_threshold(scored, threshold, row)
        return {"fmr": figures["far"], "fnmr": figures["frr"]}

    found = bootstrap(scored, measured, rng, resamples)
    return Rate(**found["fmr"]), Rate(**found["fnmr"])


def _least(scored: Scored, allowed: float) -> int:
    confidence = np.floor(scored.probability[~scored.genuine] * 100 + 0.5)
    return next((t for t in range(51, GREATEST) if (confidence >= t).mean() <= allowed), GREATEST)
