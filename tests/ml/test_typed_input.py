from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.typed_input import read_requests
from ml.windows import NUMBERS, sessions_of
from tests.ml.any_typing import any_typing, events_of


def written(path: Path) -> Path:
    rng = np.random.default_rng(0)
    sizes = (70, 140, 20)
    typed = sessions_of(
        events_of({(p, s): any_typing(n, rng) for p in (3, 8) for s, n in enumerate(sizes)})
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in typed.requests()))
    return path


def test_sessions_written_as_requests_are_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sizes = (70, 140, 20)
    table = sessions_of(
        events_of({(p, s): any_typing(n, rng) for p in (3, 8) for s, n in enumerate(sizes)})
    ).table()
    found = read_requests(written(tmp_path / "requests.ndjson"))
    assert found.user.tolist() == [3, 3, 3, 8, 8, 8]
    assert np.array_equal(found.unix_seconds, table.unix_seconds)
    assert found.features == pytest.approx(table.features, abs=1e-5)
    assert found.derived_rows() == pytest.approx(table.derived_rows(), abs=1e-4)


def test_a_session_without_windows_has_its_four_numbers_only(tmp_path: Path) -> None:
    path = written(tmp_path / "requests.ndjson")
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    for entry in entries:
        del entry["features"]["session_features"]
    path.write_text("\n".join(map(json.dumps, entries)))
    assert not read_requests(path).derived_rows().any()


def session(**more: Any) -> str:
    return json.dumps(
        {"timestamp": 3, "user": 7, "features": {**dict.fromkeys(NUMBERS, 60.0), **more}}
    )


def test_names_of_users_are_numbered_in_order_of_appearance(tmp_path: Path) -> None:
    path = tmp_path / "requests.ndjson"
    lines = [session().replace(": 7,", f': "{name}",') for name in ("s017", "s002", "s017")]
    path.write_text("\n".join(lines))
    assert read_requests(path).user.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"user": 1, "timestamp": 3}', "line 2 lacks 'features'"),
        ("nothing", "line 2 is no session"),
        ("[1]", "line 2 is no session: a line must be an object"),
        (session(session_features=[1]), "a window of session_features must be an object, not 1"),
        (session(session_features=[{"statistics": [1]}]), "statistics must be an object"),
        (session(session_features=[{"counts": [1]}]), "counts must be an object"),
        (session().replace(": 3,", ": 1e400,"), "line 2 .* timestamp must be a whole number"),
        (session().replace(": 3,", ": 3.5,"), "timestamp must be a whole number within 2"),
        (session().replace(": 7,", ": null,"), "line 2 is no session"),
        (session() + "\n" + session().replace(": 7,", ': "anna",'), "a name in every line"),
        ("", "no line holds a session"),
    ],
)
def test_what_is_no_session_is_named_by_its_line(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "requests.ndjson"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ValueError, match=complaint):
        read_requests(path)


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "requests.ndjson")
    path.write_text(
        path.read_text().replace('"error_rate_percent": ', '"error_rate_percent": 1e999')
    )
    with pytest.raises(ValueError, match=r"finite|no session"):
        read_requests(path)
