from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.aalto import aalto
from ml.key_counts import least_keys
from ml.samples import COLUMNS, DERIVED_COLUMNS, GENUINE, KINDS, Samples, generate, read, write
from ml.statistics import VALUES, even, natural


@pytest.mark.parametrize(("count", "ratio"), [(1_000, 0.8), (777, 0.5), (400, 1.0)])
def test_as_many_samples_and_as_many_legitimate_as_asked(count: int, ratio: float) -> None:
    samples = generate(aalto(), count, ratio, np.random.default_rng(0))
    assert len(samples) == count
    assert samples.legitimate.sum() == round(count * ratio)


def test_impostors_are_of_every_kind_and_mostly_other_people() -> None:
    samples = generate(aalto(), 20_000, 0.5, np.random.default_rng(1))
    for kind, share in KINDS.items():
        found = (samples.kind == kind).sum() / (~samples.legitimate).sum()
        assert found == pytest.approx(share, abs=0.02)


def test_an_other_persons_session_was_typed_by_somebody_else(samples: Samples) -> None:
    own = samples.genuine()
    typed_by = {row.tobytes(): user for row, user in zip(own.features, own.user, strict=True)}
    others = samples.rows(samples.kind == "other").sessions
    for row, claimed in zip(others.features, others.user, strict=True):
        assert typed_by[row.tobytes()] != claimed


def test_every_impostor_claims_to_be_somebody_with_a_past(samples: Samples) -> None:
    own = samples.genuine()
    for user, seconds in zip(
        samples.sessions.user[~samples.legitimate],
        samples.sessions.unix_seconds[~samples.legitimate],
        strict=True,
    ):
        assert (own.unix_seconds[own.user == user] < seconds).any()


def test_the_file_holds_what_was_written(samples: Samples, tmp_path: Path) -> None:
    path = tmp_path / "new" / "data.csv"
    told: list[int] = []
    write(samples, path, told.append)
    back = read(path)
    assert told[-1] == len(samples)
    assert path.read_text().splitlines()[0] == ",".join((*COLUMNS, *DERIVED_COLUMNS))
    assert back.kind.tolist() == samples.kind.tolist()
    assert np.array_equal(back.sessions.user, samples.sessions.user)
    assert np.array_equal(back.sessions.unix_seconds, samples.sessions.unix_seconds)
    assert np.abs(back.sessions.features - samples.sessions.features).max() < 5.1e-7
    told_keys, keys = (least_keys(each.sessions.features[:, 3]) for each in (back, samples))
    assert np.array_equal(told_keys, keys)
    derived, written = back.sessions.derived_rows(), samples.sessions.derived_rows()
    assert np.array_equal(derived == 0, written == 0)
    floored = even(natural(written[:, VALUES]))  # as a recorder gives them
    assert np.abs(derived[:, VALUES] - floored).max() < 1e-3
    assert np.array_equal(derived[:, VALUES.stop :], written[:, VALUES.stop :])


def test_samples_of_four_numbers_are_written_without_more_columns(
    samples: Samples, tmp_path: Path
) -> None:
    path = tmp_path / "data.csv"
    write(samples.plain(), path, lambda _: None)
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert read(path).sessions.derived is None


def test_a_replay_has_the_windows_of_the_session_that_it_copies(samples: Samples) -> None:
    own = {row.tobytes() for row in samples.genuine().derived_rows()}
    replays = samples.rows(samples.kind == "replay").sessions.derived_rows()
    assert len(replays) > 0
    assert all(row.tobytes() in own for row in replays)
    assert not samples.rows(samples.kind == "bot").sessions.derived_rows().any()


def test_a_file_without_kinds_is_read_by_its_labels(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(",".join(COLUMNS[:8]) + "\n1,5,60,100,90,3,12,1\n1,6,61,99,91,2,12,0\n")
    assert read(path).kind.tolist() == [GENUINE, "other"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1,5,sixty,100,90,3,12,1,genuine", "line 2 cannot be read"),
        ("1,5,60,100,90,3,12,yes,genuine", "line 2 cannot be read"),
        ("1,5,60,100,90", "line 2 cannot be read"),
        ("1,5,nan,100,90,3,12,1,genuine", "finite"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(",".join(COLUMNS) + f"\n{line}\n")
    with pytest.raises(ValueError, match=complaint):
        read(path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "the file is empty"),
        (",".join(COLUMNS).encode() + b"\n", "no line follows"),
        (",".join(COLUMNS).encode("utf-16"), "not a CSV file in UTF-8"),
        (b"\x80\x05\x95\x00\xff\xfe", "not a CSV file in UTF-8"),
        (b"\x00" * 100, "columns are missing"),
        (b"x" * 200_000, "not a CSV file"),
        (",".join(COLUMNS[:8]).encode() + b"\n1e300,5,60,100,90,3,12,1\n", "within 2"),
    ],
)
def test_what_is_no_table_of_samples_is_refused_by_name(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"odd\.csv: .*{complaint}"):
        read(path)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "spreadsheet.csv"
    content = ",".join(COLUMNS[:8]) + "\n1,5,60,100,90,3,12,1\n"
    path.write_text(content, encoding="utf-8-sig")
    assert len(read(path)) == 1


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("user,legitimate\n1,1\n")
    with pytest.raises(ValueError, match="columns are missing: unix_seconds, typing_speed_wpm"):
        read(path)


@pytest.mark.parametrize(
    ("count", "ratio"), [(10, 0.8), (0, 0.8), (-5, 0.8), (1_000, 0.0), (1_000, 1.2)]
)
def test_requests_that_make_no_sense_are_refused(count: int, ratio: float) -> None:
    with pytest.raises(ValueError, match=r"ratio|leave|1 or more"):
        generate(aalto(), count, ratio, np.random.default_rng(0))
