"""Figures of real typists that synthetic people are drawn from.

Computed from the public data set of V. Dhakal, A. M. Feit, P. O. Kristensson, A. Oulasvirta, "Observations on Typing
from 136 Million Keystrokes", CHI 2018: 835 participants with 15 sentences each (one sitting), the half of a subset on
which nothing is reported. The four quantities, per sentence:

0. log(mean hold in ms)
1. log(mean hold + mean transition in ms): the time from key to key without long pauses
2. log(12,000 / wpm) - quantity 1: what pauses add to the time from key to key
3. square root of the error rate in %, before it is cut at zero and rounded to whole keys
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KEYS_PER_SENTENCE = 48  # median of key events without modifiers


@dataclass(frozen=True)
class TypingFigures:
    """Means and covariances of the four quantities, and how people's own spreads differ."""

    mean: NDArray[np.float64]  # (4,)
    between: NDArray[np.float64]  # (4, 4)
    within: NDArray[np.float64]  # (4, 4)
    log_spread_deviation: NDArray[np.float64]  # (4,) of log variance, over people
    pause_freedom: float  # Student-t of quantity 2 within a person


def aalto() -> TypingFigures:
    """The figures of the study's first half.

    Row 3 of mean and covariances is the latent quantity: chosen so that after cutting and rounding mean 1.63, variances
    0.449 and 1.58 and the share of sentences without an error, 36 %, come out as measured. The deviations of log
    variance are what is left of 0.68, 0.51, 1.07 and 0.68 after the 0.39 that 15 sentences have by chance.
    """
    return TypingFigures(
        mean=np.array([4.659, 5.382, 0.005, 1.60]),
        between=np.array(
            [
                [0.03992, 0.01223, 0.00006, 0.0030],
                [0.01223, 0.13751, 0.00530, 0.0675],
                [0.00006, 0.00530, 0.00099, 0.0021],
                [0.0030, 0.0675, 0.0021, 0.5625],
            ]
        ),
        within=np.array(
            [
                [0.00485, 0.00067, 0.00039, -0.0135],
                [0.00067, 0.02021, -0.00147, 0.0602],
                [0.00039, -0.00147, 0.00384, -0.0009],
                [-0.0135, 0.0602, -0.0009, 1.69],
            ]
        ),
        log_spread_deviation=np.array([0.55, 0.33, 0.90, 0.30]),
        pause_freedom=6.0,  # excess kurtosis 1.4 with each person's own variance taken out
    )
