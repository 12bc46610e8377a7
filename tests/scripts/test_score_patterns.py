"""Scoring a file, against the running service and against what a file may hold."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.score_patterns import (
    FEATURES,
    PendingError,
    main,
    packed,
    pending_lines,
    whole_lines,
)
from tests.e2e.bulk import ndjson, patterns


def table(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as output:
        writer = csv.DictWriter(output, ["did", *FEATURES, "timestamp"])
        writer.writeheader()
        for row in rows:
            writer.writerow({"did": row["did"], "timestamp": row["timestamp"], **row["features"]})
    return path


def test_a_table_becomes_the_same_patterns_as_lines(tmp_path: Path) -> None:
    body = patterns(20, 3)
    lines = [json.loads(line) for line in pending_lines(table(tmp_path / "p.csv", body))]
    assert lines == body


def test_a_last_line_without_an_end_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "p.ndjson"
    path.write_bytes(b'{"a": 1}\n{"a": 2}')
    assert list(pending_lines(path)) == [b'{"a": 1}\n', b'{"a": 2}\n']


def test_a_cell_that_is_no_number_is_left_to_the_service_to_name(tmp_path: Path) -> None:
    body = patterns(1, 1)
    body[0]["features"]["typing_speed_wpm"] = "fast"
    (line,) = pending_lines(table(tmp_path / "p.csv", body))
    assert json.loads(line)["features"]["typing_speed_wpm"] == "fast"


def test_a_missing_column_and_a_missing_library_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tmp_path / "p.csv"
    short.write_text("did,typing_speed_wpm\n0x1,60\n")
    with pytest.raises(PendingError, match="no column activity_hour_preference, avg_key"):
        list(pending_lines(short))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PendingError, match="pip install pyarrow"):
        list(pending_lines(tmp_path / "p.parquet"))


def test_a_torn_last_line_is_cut_off_and_fetched_again(tmp_path: Path) -> None:
    output = tmp_path / "scores.ndjson"
    assert whole_lines(output) == 0
    output.write_bytes(b"one\ntwo\nthr")
    assert whole_lines(output) == 2
    assert output.read_bytes() == b"one\ntwo\n"


def test_what_is_sent_is_small_and_in_pieces() -> None:
    pieces = list(packed(b"%d: the same words again and again\n" % n for n in range(200_000)))
    assert sum(map(len, pieces)) < 2_000_000
    assert max(map(len, pieces)) < 200_000


def test_a_service_that_is_away_and_a_file_that_is_not_there_end_it_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--output", str(tmp_path / "o"), "--url", "http://127.0.0.1:1"]
    assert main(["--input", str(tmp_path / "none"), *out]) == 2
    path = tmp_path / "p.ndjson"
    path.write_bytes(ndjson(patterns(3, 1)))
    assert main(["--input", str(path), *out]) == 1
    assert "run the same command again" in capsys.readouterr().err
