from __future__ import annotations

import numpy as np
import pytest

from ml.implausible import constant, contradicts, implausible
from ml.statistics import COUNTED, COUNTS, DERIVED, STATISTICS, WINDOWS, even


def derived_row(low_ms: float, high_ms: float, holds: int) -> np.ndarray:
    statistics = np.full((1, len(STATISTICS)), np.nan)
    statistics[0, STATISTICS.index("hold_q10_ms")] = low_ms
    statistics[0, STATISTICS.index("hold_q90_ms")] = high_ms
    row = np.zeros(DERIVED)
    row[: len(STATISTICS)] = even(statistics)[0]
    row[COUNTED.start + COUNTS.index("holds")] = holds
    row[WINDOWS] = 1
    return row


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([60.0, 80.0, 120.0, 2.0], False),
        ([45.0, 80.0, 120.0, 2.0], False),  # pauses only slow down
        ([60.0, 200.0, 500.0, 0.0], True),  # 200 ms a key, yet 700 ms from key to key
        ([400.0, 100.0, 100.0, 0.0], True),
        ([0.0, 0.0, 0.0, 0.0], False),
    ],
)
def test_nobody_is_faster_than_holds_and_transitions_allow(
    numbers: list[float], expected: bool
) -> None:
    assert contradicts(np.array([numbers])).tolist() == [expected]


def test_holds_without_spread_are_constant() -> None:
    rows = np.stack([derived_row(90, 90, 40), derived_row(70, 120, 40), derived_row(90, 90, 5)])
    assert constant(rows).tolist() == [True, False, False]


def test_a_session_of_four_numbers_is_judged_by_them_alone() -> None:
    current = np.array([[60.0, 80.0, 120.0, 2.0]])
    assert implausible(current, None).tolist() == [False]
    assert implausible(current, np.zeros((1, DERIVED))).tolist() == [False]
    assert implausible(current, derived_row(90, 90, 40)[None]).tolist() == [True]
