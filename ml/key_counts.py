"""How many keys are behind an error rate: it is a share of whole keys, and few shares are fractions of few keys.

3.614457831 % is 3 of 83 keys, or 6 of 166, and no share of fewer than 83. So four numbers say more than they seem to:
a rate that takes 200 keys comes from a long session, whose means lie nearer to the person's own.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST: Final = 400  # keys; beyond, nearly any rate is a share of so many
TOLERANCE: Final = 2e-6  # percent: what float32 or six decimals take; of random rates 0.3 % fit
_ROUNDED: Final = 100.0  # a rate of two decimals or fewer may have been rounded
_KEYS: Final = np.arange(1.0, MOST + 1.0)


def least_keys(error_percent: NDArray[np.float64]) -> NDArray[np.int64]:
    """The fewest keys (B,) of which rates (B,) in percent are shares; 0 where the rate does not tell.

    It does not where it has two decimals or fewer, is not finite, or fits no number of keys up to 400.
    """
    keys = np.zeros(len(error_percent), dtype=np.int64)
    hundreds = error_percent * _ROUNDED
    some = np.flatnonzero(np.abs(hundreds - np.rint(hundreds)) > TOLERANCE * _ROUNDED)
    if len(some):
        shares = error_percent[some, None] / 100.0 * _KEYS  # (b, 400)
        fits = np.abs(shares - np.rint(shares)) <= TOLERANCE / 100.0 * _KEYS
        keys[some] = np.where(fits.any(axis=1), 1 + fits.argmax(axis=1), 0)
    return keys
