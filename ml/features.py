"""A session's four numbers become six features on scales where people vary evenly.

| feature | scale | why |
|---|---|---|
| typing speed | log(wpm) | people differ by factors |
| key hold | log(ms) | the same |
| transition | asinh(ms / 100) | like a logarithm, but fast typists overlap keys: it may be negative |
| error rate | sqrt(%) | counts vary with the root of their mean |
| speed-accuracy ratio | log(wpm / (error + 1)) | the documented ratio, whose raw form has a long tail |
| rhythm ratio | angle(hold, transition) | hold / transition without its pole at transition = 0 |
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FEATURES: Final = 6
TYPING_SPEED, KEY_HOLD, TRANSITION, ERROR_RATE, SPEED_ACCURACY, RHYTHM = range(FEATURES)

_FLOOR: Final = 1.0  # wpm and ms: a logarithm needs more than nothing
_TRANSITION_UNIT_MS: Final = 100.0


def even(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The six features (..., 6) of (..., 4) = wpm, hold ms, transition ms, error %; finite for finite input."""
    speed = np.maximum(numbers[..., 0], _FLOOR)
    hold = np.maximum(numbers[..., 1], _FLOOR)
    transition = numbers[..., 2]
    errors = np.maximum(numbers[..., 3], 0.0)
    features = np.empty((*numbers.shape[:-1], FEATURES))  # (..., 6)
    features[..., TYPING_SPEED] = np.log(speed)
    features[..., KEY_HOLD] = np.log(hold)
    features[..., TRANSITION] = np.arcsinh(transition / _TRANSITION_UNIT_MS)
    features[..., ERROR_RATE] = np.sqrt(errors)
    features[..., SPEED_ACCURACY] = np.log(speed / (errors + 1.0))
    features[..., RHYTHM] = np.arctan2(hold, transition)
    return features
