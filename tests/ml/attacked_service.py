"""The shipped model behind a simple rule of enrolment, for the attacks to be tried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.defended import Service
from ml.scorer import Scorer


def admits(
    confidence: NDArray[np.int64], anomaly: NDArray[np.float64], recorded: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Above 75, and no rarer than 99 % of sessions."""
    return np.asarray((confidence > 75) & (anomaly <= 0.99) & (recorded > 0))


def service_of(scorer: Scorer) -> Service:
    """Accepts from 70 on, ten updates a day."""
    return Service(scorer, 70, admits, 10)
