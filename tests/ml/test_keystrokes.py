from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from ml.keystrokes import COLUMNS, read_sessions, summarise

Event = tuple[int, int, str]


def events_of(keys: str) -> list[Event]:
    """One key every 200 ms, each held for 80 ms."""
    return [(200 * i, 200 * i + 80, key) for i, key in enumerate(keys)]


def write(path: Path, sentences: dict[tuple[int, int], list[Event]]) -> Path:
    lines = [COLUMNS]
    for (user, session), events in sentences.items():
        start = 1_500_000_000_000 + 60_000 * session
        lines += [f"{user},{session},{start},{p},{r},{key}" for p, r, key in events]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_even_typing_gives_the_numbers_that_its_definition_says(tmp_path: Path) -> None:
    path = write(tmp_path / "events.csv", {(4, 0): events_of("abcdefghijklmnopqrst")})
    table = read_sessions(path)
    assert table.user.tolist() == [4]
    assert table.unix_seconds.tolist() == [1_500_000_000]
    # 200 ms a key are 300 keys a minute, 60 words of five keys.
    assert table.features[0].tolist() == pytest.approx([60.0, 80.0, 120.0, 0.0])


def test_backspaces_and_deletes_are_errors_in_percent_of_all_keys(tmp_path: Path) -> None:
    events = events_of("abcdefghijklmnopqr")
    events += [(3_600, 3_680, "backspace"), (3_800, 3_880, "delete")]
    path = write(tmp_path / "events.csv", {(1, 0): events})
    assert read_sessions(path).features[0, 3] == pytest.approx(10.0)


def test_modifiers_count_for_speed_but_not_for_holds_and_transitions(tmp_path: Path) -> None:
    plain = events_of("abcdefghijklmnop")
    shifted = [(0, 900, "shift"), *((p + 200, r + 200, key) for p, r, key in plain)]
    path = write(tmp_path / "events.csv", {(1, 0): plain, (1, 1): shifted})
    assert read_sessions(path).features.tolist()[0] == pytest.approx(
        read_sessions(path).features.tolist()[1]
    )


def test_a_sentence_of_fewer_than_fifteen_events_does_not_count(tmp_path: Path) -> None:
    path = write(
        tmp_path / "events.csv", {(1, 0): events_of("a" * 14), (1, 1): events_of("a" * 15)}
    )
    assert read_sessions(path).unix_seconds.tolist() == [1_500_000_060]


def test_compressed_events_read_the_same(tmp_path: Path) -> None:
    plain = write(
        tmp_path / "events.csv", {(1, 0): events_of("a" * 20), (2, 0): events_of("b" * 30)}
    )
    packed = tmp_path / "events.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert np.array_equal(read_sessions(packed).features, read_sessions(plain).features)


def test_events_in_any_order_of_lines_read_the_same(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.csv", {(1, 0): events_of("abcdefghijklmnopq")})
    header, *lines = plain.read_text().splitlines()
    turned = tmp_path / "b.csv"
    turned.write_text("\n".join([header, *reversed(lines)]) + "\n")
    assert np.array_equal(read_sessions(turned).features, read_sessions(plain).features)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="columns are 'a,b'"):
        read_sessions(path)


def slow_summary(press: list[int], release: list[int]) -> list[float]:
    holds, transitions, gaps = [], [], 0
    for i, (down, up) in enumerate(zip(press, release, strict=True)):
        holds.append(min(max(up - down, 0), 1_000))
        if i:
            gaps += min(down - press[i - 1], 2_000)
            pause = down - release[i - 1]
            if -1_000 <= pause <= 1_500:
                transitions.append(pause)
    speed = 12_000 * (len(press) - 1) / gaps
    return [speed, sum(holds) / len(holds), sum(transitions) / len(transitions), 0.0]


@pytest.mark.parametrize("seed", range(5))
def test_pauses_and_overlaps_follow_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    press = np.cumsum(rng.choice([40, 150, 400, 1_800, 5_000], 40))
    release = press + rng.choice([-5, 60, 300, 1_700], 40)
    none = np.zeros(40, dtype=bool)
    expected = slow_summary(press.tolist(), release.tolist())
    assert summarise(press, release, none, none) == pytest.approx(expected)


def test_keys_pressed_all_at_once_have_no_speed() -> None:
    still = np.zeros(20, dtype=np.int64)
    none = np.zeros(20, dtype=bool)
    assert summarise(still, still + 50, none, none) is None
