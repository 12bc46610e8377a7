"""The measured statistics beside a slow version that follows the definitions one key at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.keystrokes import Stretches
from ml.statistics import COUNTS, STATISTICS
from tests.ml.any_typing import Event, any_typing, even_typing, events_of
from tests.ml.slow_keystrokes import statistics_of, summary_of


def measured(events: list[Event]) -> tuple[list[float], dict[str, float], dict[str, float]]:
    table = events_of({(1, 0): events})
    window = Stretches(table, np.zeros(len(events), dtype=np.int64)).windows()[0].tolist()
    statistics = dict(zip(STATISTICS, window[4:38], strict=True))
    return window[:4], statistics, dict(zip(COUNTS, window[38:], strict=True))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(15, 120))
def test_every_number_follows_its_definition(seed: int, count: int) -> None:
    events = any_typing(count, np.random.default_rng(seed))
    summary, statistics, counts = measured(events)
    expected, expected_counts = statistics_of(events)
    assert summary == pytest.approx(summary_of(events), rel=1e-9, abs=1e-9)
    assert counts == expected_counts
    for name in STATISTICS:
        if name == "gap_mean_ms" and not counts["pairs"]:
            continue
        assert statistics[name] == pytest.approx(expected[name], rel=1e-9, abs=1e-9, nan_ok=True), (
            name
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_stretch_measures_the_same_alone_and_among_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sessions = {(1, i): any_typing(int(rng.integers(15, 60)), rng) for i in range(6)}
    table = events_of(sessions)
    together = Stretches(table, table.sessions()).windows()
    for i, events in enumerate(sessions.values()):
        alone = events_of({(1, 0): events})
        own = Stretches(alone, np.zeros(len(alone), dtype=np.int64)).windows()[0]
        assert own == pytest.approx(together[i], rel=1e-9, abs=1e-9, nan_ok=True)


def test_no_pair_reaches_over_the_edge_of_a_session() -> None:
    table = events_of({(1, 0): even_typing("abc"), (1, 1): even_typing("def")})
    window = Stretches(table, np.zeros(6, dtype=np.int64)).windows()[0]
    counts = dict(zip(COUNTS, window[38:], strict=True))
    assert counts["keys"] == 6
    assert counts["pairs"] == 4
    assert window[0] == pytest.approx(60.0)


def test_events_of_no_stretch_are_left_out() -> None:
    table = events_of({(1, 0): even_typing("abcdefghij" * 4)})
    stretch = np.where(np.arange(40) < 20, 0, -1)
    window = Stretches(table, stretch).windows()[0]
    assert window[38 + COUNTS.index("keys")] == 20


def test_even_typing_gives_the_numbers_that_its_definition_says() -> None:
    summary, statistics, _ = measured(even_typing("abcdefghijklmnopqrst"))
    # 200 ms a key are 300 keys a minute, 60 words of five keys.
    assert summary == pytest.approx([60.0, 80.0, 120.0, 0.0])
    assert statistics["hold_q10_ms"] == statistics["hold_q90_ms"] == 80.0
    assert statistics["gap_mean_ms"] == pytest.approx(200.0)
    assert statistics["hold_spread"] == pytest.approx(0.0, abs=1e-9)
    assert np.isnan(statistics["overlap_ms"])


def test_modifiers_count_for_speed_but_not_for_holds_and_transitions() -> None:
    plain = even_typing("abcdefghijklmnop")
    shifted = [(0, 900, "shift"), *((p + 200, r + 200, key) for p, r, key in plain)]
    assert measured(shifted)[0] == pytest.approx(measured(plain)[0])


def test_keys_pressed_all_at_once_have_no_speed() -> None:
    assert measured([(0, 50, "a")] * 20)[0][0] == 0.0


def test_a_stretch_of_nothing_but_long_gaps_has_no_mean_gap() -> None:
    slow = [(1_600.0 * i, 1_600.0 * i + 400.0, "abc"[i % 3]) for i in range(20)]
    _, statistics, counts = measured(slow)
    assert counts["pairs"] == 19
    assert np.isnan(statistics["gap_mean_ms"])
    assert np.isnan(statistics["gap_persistence"])
    assert statistics["gap_median_ms"] == 1_600.0
