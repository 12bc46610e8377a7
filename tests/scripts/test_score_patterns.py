"""Scoring a file, against the running service and against what a file may hold."""

from __future__ import annotations

import csv
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from scripts.score_patterns import (
    FEATURES,
    PendingError,
    content_key,
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


def test_what_is_no_csv_is_told_as_such(tmp_path: Path) -> None:
    path = table(tmp_path / "p.csv", patterns(1, 1))
    path.write_bytes(path.read_bytes() + b"\xff\xfe,1,2,3,4,5,6\n")
    with pytest.raises(PendingError, match="no CSV in UTF-8"):
        list(pending_lines(path))


@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=2))])
def test_a_parquet_files_times_become_seconds(tmp_path: Path, zone: tzinfo | None) -> None:
    (body,) = patterns(1, 1)
    when = datetime.fromtimestamp(body["timestamp"], zone or UTC).replace(tzinfo=zone)
    row = {"did": body["did"], **body["features"], "timestamp": when}
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "p.parquet")
    (line,) = pending_lines(tmp_path / "p.parquet")
    assert json.loads(line) == body


def test_a_parquet_file_without_a_column_or_that_is_none_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([{"did": "0x1"}]), path)
    with pytest.raises(PendingError, match="no column activity_hour_preference, avg_key"):
        list(pending_lines(path))
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(PendingError, match="no Parquet"):
        list(pending_lines(path))


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


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The URL of what answers every request in this way, as a proxy whose service is away would."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            while length := int(self.rfile.readline(), 16):
                self.rfile.read(length + 2)
            self.rfile.readline()
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(tmp_path: Path, url: str) -> int:
    path = tmp_path / "p.ndjson"
    path.write_bytes(ndjson(patterns(3, 1)))
    return main(["--input", str(path), "--output", str(tmp_path / "o"), "--url", url])


def test_a_refusal_that_is_not_the_services_own_is_told_by_its_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(502, b"<html>Bad Gateway</html>") as url:
        assert run(tmp_path, url) == 1
    assert "the answer was 502" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (404, {"detail": "no such job; it may have expired"}, "no such job"),
        (200, {"state": "cancelled"}, "was cancelled"),
    ],
)
def test_a_job_that_is_gone_is_sent_anew_by_the_next_run(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    status: int,
    answer: dict[str, str],
    words: str,
) -> None:
    path, note = tmp_path / "p.ndjson", tmp_path / "o.job"
    path.write_bytes(ndjson(patterns(3, 1)))
    note.write_text(json.dumps({"job_id": "0" * 32, "key": content_key(path)}))
    with answering(status, json.dumps(answer).encode()) as url:
        assert run(tmp_path, url) == 1
    assert words in capsys.readouterr().err
    assert not note.exists()


def test_a_torn_note_counts_as_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "o.job").write_text('{"job_id": "0')
    with answering(413, b'{"detail": "a job must have at most 2 patterns"}') as url:
        assert run(tmp_path, url) == 1
    assert "at most 2 patterns" in capsys.readouterr().err
