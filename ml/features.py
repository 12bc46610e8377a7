"""A session's four numbers become six features on scales where people vary evenly.

| feature | scale | why |
|---|---|---|
| typing speed | asinh(20 p), p = log(12,000 / wpm) - log(gap) | what pauses add from key to key; long tails |
| key hold | log(ms) | people differ by factors |
| transition | log(gap), gap = hold + transition | the time from key to key without pauses, never negative |
| error rate | sqrt(%) | counts vary with the root of their mean |
| speed-accuracy ratio | log(wpm / (error + 1)) | the documented ratio, whose raw form has a long tail |
| rhythm ratio | angle(hold, transition) | hold / transition without its pole at transition = 0 |

The first four are `summary`; the four numbers follow from them. Beside log(wpm) and asinh(transition / 100)
they lower the EER from 11.8 to 11.4 % (two-fold over the people that choices are made on).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FEATURES: Final = 6
TYPING_SPEED, KEY_HOLD, TRANSITION, ERROR_RATE, SPEED_ACCURACY, RHYTHM = range(FEATURES)

_FLOOR: Final = 1.0  # wpm and ms: a logarithm needs more than nothing
_LEAST_GAP_MS: Final = 20.0
_PAUSE_SCALE: Final = 20.0


def even(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The six features (..., 6) of (..., 4) = wpm, hold ms, transition ms, error %; finite for finite input."""
    speed = np.maximum(numbers[..., 0], _FLOOR)
    hold = np.maximum(numbers[..., 1], _FLOOR)
    transition = numbers[..., 2]
    errors = np.maximum(numbers[..., 3], 0.0)
    features = np.empty((*numbers.shape[:-1], FEATURES))  # (..., 6)
    features[..., :4] = summary(numbers)
    features[..., SPEED_ACCURACY] = np.log(speed / (errors + 1.0))
    features[..., RHYTHM] = np.arctan2(hold, transition)
    return features


def summary(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The first four features (..., 4), from which the four numbers follow."""
    gap = np.log(np.maximum(numbers[..., 1] + numbers[..., 2], _LEAST_GAP_MS))
    pause = np.log(12_000.0 / np.maximum(numbers[..., 0], _FLOOR)) - gap
    values = np.empty((*numbers.shape[:-1], 4))  # (..., 4)
    values[..., TYPING_SPEED] = np.arcsinh(_PAUSE_SCALE * pause)
    values[..., KEY_HOLD] = np.log(np.maximum(numbers[..., 1], _FLOOR))
    values[..., TRANSITION] = gap
    values[..., ERROR_RATE] = np.sqrt(np.maximum(numbers[..., 3], 0.0))
    return values


def numbers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of `summary`: wpm, hold ms, transition ms, error % (..., 4)."""
    gap, hold = np.exp(values[..., TRANSITION]), np.exp(values[..., KEY_HOLD])
    pause = np.sinh(values[..., TYPING_SPEED]) / _PAUSE_SCALE
    speed = 12_000.0 / (gap * np.exp(pause))
    errors = np.square(np.maximum(values[..., ERROR_RATE], 0.0))
    return np.stack([speed, hold, gap - hold, errors], axis=-1)
