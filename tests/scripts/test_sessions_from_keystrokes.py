from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from api.schemas import Features
from api.windows import flat
from ml.samples import DERIVED_COLUMNS, read
from ml.windows import read_sessions
from tests.ml.any_typing import any_typing, even_typing, write_events
from tests.scripts.run_script import run
from worker.contract import WINDOW_NUMBERS

SCRIPT = "sessions_from_keystrokes.py"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight sessions of four people, one of them too short to count."""
    rng = np.random.default_rng(0)
    sessions = {(u, s): any_typing(40 + 60 * s, rng) for u in range(4) for s in range(2)}
    sessions[9, 0] = even_typing("short")
    return write_events(tmp_path_factory.mktemp("events") / "events.csv", sessions)


def test_the_table_holds_the_sessions_and_what_is_derived_of_them(
    events: Path, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "sessions.csv"
    done = run(SCRIPT, "--events", events, "--output", output, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "8 sessions of 4 people, 12 windows" in " ".join(done.stdout.split())
    samples = read(output)
    expected = read_sessions(events)
    assert samples.legitimate.all()
    assert samples.sessions.features == pytest.approx(expected.features, abs=1e-3)
    assert samples.sessions.derived is not None
    assert samples.sessions.derived == pytest.approx(expected.derived_rows(), rel=1e-4, abs=1e-4)
    assert output.read_text().splitlines()[0].endswith(",".join(DERIVED_COLUMNS))


def test_every_line_of_requests_is_a_session_ready_to_be_sent(events: Path, tmp_path: Path) -> None:
    output = tmp_path / "requests.ndjson"
    flags = ("--events", events, "--keys-per-window", 25, "--output", output)
    assert run(SCRIPT, *flags, folder=tmp_path).returncode == 0
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert len(lines) == 8
    for line in lines:
        assert set(line) == {"user", "session", "features", "timestamp"}
        windows = line["features"]["session_features"]
        assert len(windows) == (2 if line["session"] == 0 else 4)
        assert all(set(each) >= {"version", "statistics", "counts"} for each in windows)
        sent = [flat([0.0] * 4, each["statistics"], each["counts"]) for each in windows]
        assert {len(each) for each in sent} == {WINDOW_NUMBERS}  # no count contradicts another


@pytest.mark.parametrize(
    ("content", "flags", "code", "complaint"),
    [
        ("a,b\n", ("--output", "x.csv"), 1, "columns are 'a,b'"),
        (None, ("--output", "x.csv"), 1, "No such file"),
        ("", ("--output", "x.txt"), 2, "must end in .csv or .ndjson"),
    ],
)
def test_what_cannot_be_read_or_written_is_a_sentence(
    tmp_path: Path, content: str | None, flags: tuple[object, ...], code: int, complaint: str
) -> None:
    path = tmp_path / "events.csv"
    if content is not None:
        path.write_text(content)
    done = run(SCRIPT, "--events", path, *flags, folder=tmp_path)
    assert done.returncode == code
    assert complaint in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_broken_line_is_named(events: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(events.read_text() + "1,2,three,4,5,a\n")
    done = run(SCRIPT, "--events", path, "--output", "x.csv", folder=tmp_path)
    assert done.returncode == 1
    number = len(path.read_text().splitlines())
    assert f"line {number}: start_unix_ms must be a number" in " ".join(done.stderr.split())


def test_hardly_any_keys_a_window_are_refused(events: Path, tmp_path: Path) -> None:
    flags = ("--events", events, "--output", "x.csv", "--keys-per-window", 3)
    done = run(SCRIPT, *flags, folder=tmp_path)
    assert done.returncode == 1
    assert "15 or more, not 3" in done.stderr


def test_passwords_too_short_to_count_are_joined(tmp_path: Path) -> None:
    sessions = {(u, s): even_typing("password123") for u in range(2) for s in range(6)}
    path = write_events(tmp_path / "login.csv", sessions)
    done = run(SCRIPT, "--events", path, "--output", "x.csv", folder=tmp_path)
    assert done.returncode == 1
    assert "login.csv: 0 people have a session of 15 keys" in " ".join(done.stderr.split())
    assert "help: --join 2" in " ".join(done.stderr.split())
    flags = ("--events", path, "--output", "x.csv", "--join", 3)
    done = run(SCRIPT, *flags, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 sessions of 2 people, 4 windows" in done.stdout


def test_a_slow_typists_request_holds_no_number_that_is_refused(tmp_path: Path) -> None:
    slow = [(1_600.0 * i, 1_600.0 * i + 400.0, "abc"[i % 3]) for i in range(30)]
    path = write_events(tmp_path / "slow.csv", {(0, 0): slow})
    done = run(SCRIPT, "--events", path, "--output", "x.ndjson", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    line = json.loads((tmp_path / "x.ndjson").read_text())
    (window,) = line["features"]["session_features"]
    assert window["counts"]["pairs"] == 29
    assert "gap_mean_ms" not in window["statistics"]
    assert Features.model_validate(line["features"]).session_features is not None
