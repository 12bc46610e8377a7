from __future__ import annotations

import numpy as np
import pytest

from ml.events import Events
from ml.implausible import constant, contradicts, implausible, rounded
from ml.statistics import COUNTED, COUNTS, DERIVED, STATISTICS, WINDOWS, even
from ml.windows import sessions_of


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


def bot(holds: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sessions of letters with these holds and gaps (B, n) in ms, as the service sees them."""
    rows, keys = holds.shape
    press = np.cumsum(gaps, axis=1)
    number = np.repeat(np.arange(rows), keys)
    letters = np.tile(np.arange(keys) % 26, rows)
    still = np.zeros_like(number)
    events = Events(number, still, still, press.ravel(), (press + holds).ravel(), letters)
    table = sessions_of(events).table()
    return table.features, table.derived_rows()


@pytest.mark.parametrize("keys", [60, 200])
@pytest.mark.parametrize("step", [10.0, 20.0, 50.0])
def test_times_on_a_grid_are_flagged_however_much_they_vary(keys: int, step: float) -> None:
    rng = np.random.default_rng(0)
    varied = [step * np.ceil(rng.lognormal(m, 0.4, (50, keys)) / step) for m in (4.5, 5.3)]
    current, derived = bot(*varied)
    assert rounded(current, derived).mean() >= 0.99


def test_times_of_a_common_clock_are_not_flagged() -> None:
    rng = np.random.default_rng(1)
    varied = [np.round(rng.lognormal(m, 0.4, (2_000, 60))) for m in (4.5, 5.3)]
    current, derived = bot(*varied)
    assert implausible(current, derived).mean() < 0.01


@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_one_hold_and_one_gap_are_flagged(jitter: float) -> None:
    rng = np.random.default_rng(2)
    shape = (50, 60)
    holds = rng.uniform(60, 140, (50, 1)) + rng.uniform(-jitter, jitter, shape)
    gaps = rng.uniform(160, 300, (50, 1)) + rng.uniform(-jitter, jitter, shape)
    current, derived = bot(holds, gaps)
    assert implausible(current, derived).all()


def test_varied_holds_at_constant_transitions_are_flagged() -> None:
    rng = np.random.default_rng(3)
    holds = rng.uniform(60, 140, (20, 60))
    gaps = np.concatenate([np.zeros((20, 1)), holds[:, :-1] + 90.0], axis=1)
    current, derived = bot(holds, gaps)
    assert constant(derived).all()
    assert implausible(current, derived).all()
