from __future__ import annotations

import numpy as np
import pytest

from ml.statistics import COUNTS, STATISTICS, WINDOWS, pool
from ml.windows import required, sessions_of
from tests.ml.any_typing import any_typing, even_typing, events_of


@pytest.mark.parametrize(
    ("keys", "windows"),
    [(15, 1), (48, 1), (60, 1), (74, 1), (75, 2), (110, 2), (125, 3), (5_000, 20)],
)
def test_windows_are_even_and_none_is_a_short_rest(keys: int, windows: int) -> None:
    typed = sessions_of(events_of({(1, 0): even_typing("abcde" * (keys // 5) + "f" * (keys % 5))}))
    lengths = typed.windows[:, 4 + len(STATISTICS) + COUNTS.index("keys")]
    assert len(lengths) == windows
    assert lengths.sum() == keys
    assert lengths.max() - lengths.min() <= 1
    assert typed.owner.tolist() == [0] * windows


def test_a_session_that_says_too_little_does_not_count() -> None:
    still = [(0.0, 50.0, "a")] * 20
    slow = [(9_000.0 * i, 9_000.0 * i + 80, "a") for i in range(20)]
    sessions = {
        (1, 0): even_typing("a" * 14),
        (1, 1): even_typing("a" * 15),
        (1, 2): still,
        (1, 3): slow,
    }
    typed = sessions_of(events_of(sessions))
    assert typed.session.tolist() == [1]
    assert typed.unix_seconds.tolist() == [1_500_000_060]


def test_the_table_holds_each_sessions_pooled_windows() -> None:
    rng = np.random.default_rng(0)
    typed = sessions_of(events_of({(1, i): any_typing(30 + 50 * i, rng) for i in range(5)}), 20)
    table = typed.table()
    assert table.derived is not None
    for i in range(5):
        own = typed.windows[typed.owner == i]
        assert table.derived[i] == pytest.approx(pool(own))
        assert table.derived[i, WINDOWS] == len(own)


def test_a_request_holds_the_session_and_its_windows() -> None:
    rng = np.random.default_rng(1)
    typed = sessions_of(events_of({(7, 2): any_typing(120, rng), (8, 0): any_typing(40, rng)}))
    first, second = typed.requests()
    assert (first["user"], first["session"], first["timestamp"]) == (7, 2, 1_500_000_120)
    features = first["features"]
    assert features["typing_speed_wpm"] == pytest.approx(typed.features[0, 0], abs=1e-6)
    assert features["activity_hour_preference"] == 1_500_000_120 // 3600 % 24
    assert [len(each["features"]["session_features"]) for each in (first, second)] == [2, 1]
    window = features["session_features"][1]
    assert window["version"] == 1
    assert set(window["counts"]) <= set(COUNTS)
    assert all(count > 0 for count in window["counts"].values())
    for name, value in window["statistics"].items():
        assert value == pytest.approx(typed.windows[1, 4 + STATISTICS.index(name)], abs=1e-6)
    absent = np.isnan(typed.windows[1, 4:38])
    assert set(STATISTICS) - set(window["statistics"]) == set(np.array(STATISTICS)[absent])


def test_windows_of_hardly_any_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="15 or more, not 5"):
        sessions_of(events_of({(1, 0): even_typing("a" * 20)}), 5)


def test_too_few_people_are_told_with_the_limits_and_the_remedy() -> None:
    short = events_of({(u, 0): even_typing("password123") for u in range(3)})
    with pytest.raises(ValueError, match="are needed") as refused:
        required(short, "login.csv", people=1)
    said = str(refused.value)
    assert said.startswith("login.csv: 0 people have a session of 15 keys and 3 transitions, 1 are")
    assert "has 11 keys; help: --join 2" in said
    enough = events_of({(u, 0): even_typing("password1234567") for u in range(2)})
    assert required(enough, "login.csv", people=2) is enough
