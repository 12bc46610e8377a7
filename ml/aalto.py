"""Figures of real typists that synthetic people are drawn from and that the shipped model weighs sessions with.

Measured by `scripts/measure_figures.py` on the public data set of V. Dhakal, A. M. Feit, P. O. Kristensson,
A. Oulasvirta, "Observations on Typing from 136 Million Keystrokes", CHI 2018: the sentences of two thirds of a subset
(15 sentences a person, one sitting). `ml/aalto.json` holds them: how the 38 statistics vary between people and within a
person, the quantiles of the autoencoder's error on these people's sessions, and error rates at the operating points.
All are over more than a thousand people; nobody can be recovered from them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ml.operating import OperatingPoint
from ml.population import Population
from ml.rich_population import RichPopulation

FILE: Final = Path(__file__).with_name("aalto.json")


@dataclass(frozen=True)
class TypingFigures:
    """The population, and what a Gaussian does not say of people."""

    population: RichPopulation
    # Deviations of log variance over people, common and for each statistic: 0.59 measured less the 0.39 that 15
    # sentences have by chance.
    spread_deviation: float = 0.5
    own_spread_deviation: float = 0.3
    freedom: float = (
        8.0  # Student-t of a whole session; excess kurtosis 1.0 in the median statistic
    )
    length_deviation: float = 0.35  # of the log of a session's keys
    # Variances of sqrt(error %) before it is cut at zero, over those after it.
    latent_between: float = 1.25
    latent_within: float = 1.07


@cache
def aalto() -> TypingFigures:
    """The study's figures."""
    population = {name: np.array(figure) for name, figure in entries()["population"].items()}
    return TypingFigures(RichPopulation(**population))


@cache
def summary_population() -> Population:
    """How the six features of the four numbers vary between and within the study's people."""
    return Population(**{name: np.array(figure) for name, figure in entries()["summary"].items()})


@dataclass(frozen=True)
class Measurements:
    """What the shipped model was measured to do on the study's people."""

    error_quantiles: NDArray[np.float64]  # (Q,) of the autoencoder, at even steps of 0..1
    operating_points: dict[str, OperatingPoint]
    reject_below: int


def measurements() -> Measurements | None:
    """The measurements, if they have been made."""
    found = entries()
    if "operating_points" not in found:
        return None
    points = {name: OperatingPoint.of(each) for name, each in found["operating_points"].items()}
    return Measurements(np.array(found["error_quantiles"]), points, int(found["reject_below"]))


def entries() -> dict[str, Any]:
    """All figures by name."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
