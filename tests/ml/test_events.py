from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from ml.events import CODE, COLUMNS, read_events
from tests.ml.any_typing import even_typing, write_events


@pytest.fixture
def path(tmp_path: Path) -> Path:
    sessions = {(2, 0): even_typing("abc"), (1, 1): even_typing("de"), (1, 0): even_typing("fg")}
    return write_events(tmp_path / "events.csv", sessions)


def test_events_come_user_by_user_session_by_session(path: Path) -> None:
    events = read_events(path)
    assert events.user.tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert events.session.tolist() == [0, 0, 1, 1, 0, 0, 0]
    assert events.sessions().tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert events.press.tolist() == [0, 200, 0, 200, 0, 200, 400]
    assert events.key.tolist() == [CODE[key] for key in "fgdeabc"]


def test_compressed_events_and_events_in_any_order_read_the_same(path: Path) -> None:
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    turned = path.with_name("turned.csv")
    header, *lines = path.read_text().splitlines()
    turned.write_text("\n".join([header, *reversed(lines)]) + "\n")
    for other in (packed, turned):
        assert np.array_equal(read_events(other).key, read_events(path).key)


def test_decimals_and_unknown_keys_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(f"{COLUMNS}\n1,0,5,0.25,80.75,F1\n")
    events = read_events(path)
    assert (events.press[0], events.release[0]) == (0.25, 80.75)
    assert events.key[0] == CODE["other"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1,0,5,0,80", "line 3 has 5 fields, not 6"),
        ("1,0,5,0,80,a,b", "line 3 has 7 fields, not 6"),
        ("1,0,5,zero,80,a", "line 3: press_ms must be a number, not 'zero'"),
        ("1,0,5,0,nan,a", "line 3: release_ms must lie within 2"),
        ("1,1e300,5,0,80,a", "line 3: session must lie within 2"),
        ("1.5,0,5,0,80,a", "line 3: user must be a whole number, not '1.5'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(f"{COLUMNS}\n1,0,5,0,80,a\n{line}\n")
    with pytest.raises(ValueError, match=rf"broken\.csv: {complaint}"):
        read_events(path)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"a,b\n1,2\n", "columns are 'a,b'"),
        ("a.csv", COLUMNS.encode() + b"\n", "no line follows"),
        ("a.csv", b"", "columns are ''"),
        ("a.csv", b"\xff\xfe\x00", "not a table of key events"),
        ("a.csv.gz", b"plain", "not a table of key events"),
    ],
)
def test_what_is_no_table_of_events_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=complaint):
        read_events(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_events(tmp_path / "none.csv")


def test_names_of_users_are_numbered_in_order_of_appearance(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    lines = ["s017,0,5,0,80,a", "s002,0,5,0,80,b", "s017,0,5,100,180,c", "3,0,5,0,80,d"]
    path.write_text("\n".join([COLUMNS, *lines]) + "\n")
    events = read_events(path)
    assert events.user.tolist() == [0, 0, 1, 2]
    assert events.key.tolist() == [CODE[key] for key in "acbd"]


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        (["1,0,5,0,80,a", "s2,0,5,0,80,a"], "line 3: user must be a number, not 's2'"),
        (["s1,0,5,0,80,a", ",0,5,0,80,a"], "line 3: user is empty; help: give a number or a name"),
        (["s1,0,5,0,80,a", "s2,x,5,0,80,a"], "line 3: session must be a number, not 'x'"),
    ],
)
def test_users_have_numbers_or_names_throughout(
    tmp_path: Path, lines: list[str], complaint: str
) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("\n".join([COLUMNS, *lines]) + "\n")
    with pytest.raises(ValueError, match=complaint):
        read_events(path)


def test_a_number_used_for_two_sessions_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    lines = ["1,0,5,0,80,a", "2,0,900,0,80,a", "1,0,5,100,180,b", "1,0,86400005,50,90,c"]
    path.write_text("\n".join([COLUMNS, *lines]) + "\n")
    with pytest.raises(
        ValueError, match=r"line 5: start_unix_ms is not that of line \d.* help: give each"
    ):
        read_events(path)
