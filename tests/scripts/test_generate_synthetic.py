from __future__ import annotations

from pathlib import Path

import pytest

from ml.samples import COLUMNS, DERIVED_COLUMNS, read
from tests.scripts.run_script import run

SCRIPT = "generate_synthetic.py"


def test_the_documented_line_writes_ten_thousand_samples(tmp_path: Path) -> None:
    path = tmp_path / "data/raw/training_data.csv"
    flags = ("--samples", "10000", "--output", "data/raw/training_data.csv")
    done = run(SCRIPT, *flags, "--legitimate-ratio", "0.8", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "10000 samples of" in done.stdout
    samples = read(path)
    assert len(samples) == 10_000
    assert samples.legitimate.sum() == 8_000
    assert path.read_text().splitlines()[0] == ",".join((*COLUMNS, *DERIVED_COLUMNS))


def test_the_same_seed_writes_the_same_file(tmp_path: Path) -> None:
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        flags = ("--samples", 500, "--output", f"{name}.csv", "--seed", seed)
        assert run(SCRIPT, *flags, folder=tmp_path).returncode == 0
    first, again, other = ((tmp_path / f"{name}.csv").read_bytes() for name in "abc")
    assert first == again != other


@pytest.mark.parametrize(
    "flags", [("--samples", 5), ("--samples", -5), ("--seed", -1), ("--legitimate-ratio", 1.5)]
)
def test_arguments_that_make_no_sense_are_an_error_without_a_trace(
    tmp_path: Path, flags: tuple[object, ...]
) -> None:
    done = run(SCRIPT, *flags, folder=tmp_path)
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_column(tmp_path: Path) -> None:
    done = run(SCRIPT, "--help", folder=tmp_path)
    assert done.returncode == 0
    for column in COLUMNS:
        assert column in done.stdout
