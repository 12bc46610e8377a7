"""The 64 coalitions of six players, and the weights of their Shapley values.

Source: L. S. Shapley, "A value for n-person games", 1953: player i's fair share of v is the mean, over all orders in
which the players may arrive, of what i adds on arrival. It sums to v(all) - v(nobody).
"""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

PLAYERS = 6
COALITIONS = 1 << PLAYERS


def members() -> NDArray[np.bool_]:
    """Who is in which coalition, (64, 6): bit i of the coalition's number is player i."""
    numbers = np.arange(COALITIONS)
    return np.asarray((numbers[:, None] >> np.arange(PLAYERS)) & 1 == 1)


def shapley_weights() -> NDArray[np.float64]:
    """The matrix (6, 64) that turns the coalitions' values into the players' Shapley values."""
    inside = members()  # (64, 6)
    size = inside.sum(axis=1)
    joining = np.array(
        [factorial(s - 1) * factorial(PLAYERS - s) if s else 0 for s in range(PLAYERS + 1)]
    )
    leaving = np.array(
        [
            factorial(s) * factorial(PLAYERS - 1 - s) if s < PLAYERS else 0
            for s in range(PLAYERS + 1)
        ]
    )
    weights = np.where(inside, joining[size][:, None], -leaving[size][:, None])  # (64, 6)
    return np.asarray(weights.T / factorial(PLAYERS))
