from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ml import registry
from tests.scripts.run_script import run

SCRIPT = "train_model.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data that the documented line trains on."""
    folder = tmp_path_factory.mktemp("training")
    flags = ("--samples", 2_000, "--output", "data/raw/training_data.csv")
    assert run("generate_synthetic.py", *flags, folder=folder).returncode == 0
    return folder


def test_the_documented_line_trains_a_model_that_loads(folder: Path) -> None:
    flags = ("--data", "data/raw/training_data.csv", "--epochs", "2")
    done = run(SCRIPT, *flags, "--batch-size", "256", "--learning-rate", "0.001", folder=folder)
    assert done.returncode == 0, done.stderr
    path = folder / "models/checkpoints/best_model.pth"
    assert registry.load(path).model_version == "2.1.0"
    entries = registry.manifest(path)
    assert entries.data["samples"] == 2_000
    assert entries.seeds == {"training": 0}
    assert "EER" in done.stderr
    served = "MODEL_PATH=models/checkpoints/best_model.pth python -m worker online"
    assert done.stdout.splitlines()[-1] == served
    assert "epoch 2: validation loss" in done.stderr


def test_the_same_seed_writes_the_same_model(folder: Path) -> None:
    for name in ("a", "b"):
        flags = ("--epochs", 1, "--seed", 3, "--version", "2.0.0", "--output", f"{name}.pth")
        assert run(SCRIPT, *flags, folder=folder).returncode == 0
    for suffix in ("pth", "json"):
        first, second = ((folder / f"{name}.{suffix}").read_bytes() for name in "ab")
        assert first == second


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_an_error_with_the_remedy(folder: Path) -> None:
    done = run(SCRIPT, "--device", "cuda", "--mixed-precision", folder=folder)
    assert done.returncode == 1
    assert "no device 'cuda' here; help:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--device", "banana"), "no device 'banana'; help: cpu, cuda"),
        (("--epochs", 0), "epochs must be 1 or more, not 0"),
        (("--batch-size", -1), "batch_size must be 1 or more, not -1"),
        (("--learning-rate", "nan"), "learning_rate must be a positive number"),
        (("--version", "newest"), "version must be MAJOR.MINOR.PATCH, not 'newest'"),
        (("--data", "."), "Is a directory"),
    ],
)
def test_arguments_that_make_no_sense_are_a_sentence_and_write_nothing(
    folder: Path, flags: tuple[object, ...], complaint: str
) -> None:
    done = run(SCRIPT, *flags, "--output", "none.pth", folder=folder)
    assert done.returncode == 1
    assert complaint in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (folder / "none.pth").exists()


def test_missing_data_is_an_error_without_a_trace(tmp_path: Path) -> None:
    done = run(SCRIPT, "--data", "none.csv", folder=tmp_path)
    assert done.returncode == 1
    assert "none.csv" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_every_documented_flag(tmp_path: Path) -> None:
    done = run(SCRIPT, "--help", folder=tmp_path)
    assert done.returncode == 0
    for flag in ("data", "epochs", "batch-size", "learning-rate", "device", "mixed-precision"):
        assert f"--{flag}" in done.stdout
