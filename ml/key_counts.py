"""How many keys are behind an error rate: it is a share of whole keys, and few shares are fractions of few keys.

3.614457831 % is 3 of 83 keys, or 6 of 166, and no share of fewer than 83. So four numbers say more than they seem to:
a rate that takes 200 keys comes from a long session, whose means lie nearer to the person's own.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST: Final = 400  # keys; beyond, nearly any rate is a share of so many
TOLERANCE: Final = 2e-6  # percent: what float32 or six decimals take; of random rates 0.3 % fit
_ROUNDED: Final = 100.0  # a rate of two decimals or fewer may have been rounded


def least_keys(error_percent: NDArray[np.float64]) -> NDArray[np.int64]:
    """The fewest keys (B,) of which rates (B,) in percent are shares; 0 where the rate does not tell.

    It does not where it has two decimals or fewer, is not between 0 and 100, or fits no number of keys up to 400.
    """
    keys = np.zeros(len(error_percent), dtype=np.int64)
    hundreds = error_percent * _ROUNDED
    some = np.flatnonzero(np.abs(hundreds - np.rint(hundreds)) > TOLERANCE * _ROUNDED)
    if len(some):
        share, of_keys, middle = _shares()
        given = error_percent[some] / 100.0
        nearest = np.searchsorted(middle, given)
        fits = np.abs(share[nearest] - given) <= TOLERANCE / 100.0
        keys[some] = np.where(fits, of_keys[nearest], 0)
    return keys


@cache
def _shares() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """All shares of up to 400 keys, ascending and in lowest terms, the keys of each, and the middles between them.

    Two of them lie at least 1 / (400 * 399) apart, a hundred times as far as a rate may be off: only the nearest fits.
    """
    wrong, keys = np.meshgrid(np.arange(MOST + 1), np.arange(1, MOST + 1))
    lowest = (np.gcd(wrong, keys) == 1) & (wrong <= keys)
    share, of_keys = wrong[lowest] / keys[lowest], keys[lowest]
    order = np.argsort(share)
    share = share[order]
    return share, of_keys[order], (share[1:] + share[:-1]) / 2.0
