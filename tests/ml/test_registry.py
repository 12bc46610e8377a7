from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.fitting import Fitted
from ml.registry import (
    ModelError,
    ModelIntegrityError,
    ModelMissingError,
    load,
    manifest,
    manifest_path,
    save,
)
from tests.ml.any_sessions import any_sessions


@pytest.fixture
def path(fitted: Fitted, tmp_path: Path) -> Path:
    path = tmp_path / "new" / "model.pth"
    save(fitted.model, path, {"data": {"description": "test"}, "thresholds": fitted.thresholds})
    return path


def test_a_saved_model_scores_as_before(fitted: Fitted, path: Path) -> None:
    sessions = any_sessions(50, 10, np.random.default_rng(0))
    again = load(path).score(sessions)
    first = type(load(path))(fitted.model).score(sessions)
    assert again.confidence.tolist() == first.confidence.tolist()
    assert again.anomaly.tobytes() == first.anomaly.tobytes()
    assert load(path).model_version == "1.2.3"


def test_the_manifest_says_what_the_model_is(path: Path, fitted: Fitted) -> None:
    entries = manifest(path)
    assert entries.version == "1.2.3"
    assert entries.data == {"description": "test"}
    assert entries.thresholds == fitted.thresholds
    assert entries.libraries["torch"] == torch.__version__
    assert set(entries.libraries) == {"python", "torch", "numpy"}


def test_the_same_model_is_the_same_file(path: Path, fitted: Fitted, tmp_path: Path) -> None:
    other = tmp_path / "again.pth"
    save(fitted.model, other, {"data": {"description": "test"}, "thresholds": fitted.thresholds})
    assert other.read_bytes() == path.read_bytes()
    assert manifest_path(other).read_bytes() == manifest_path(path).read_bytes()


def test_nothing_but_the_two_files_is_left_behind(path: Path) -> None:
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["model.json", "model.pth"]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 2**31), flip=st.integers(1, 255))
def test_one_changed_byte_anywhere_refuses_to_load(path: Path, place: int, flip: int) -> None:
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[place % len(whole)] ^= flip
    path.write_bytes(changed)
    try:
        with pytest.raises(ModelIntegrityError, match=manifest(path).sha256):
            load(path)
    finally:
        path.write_bytes(whole)


def test_a_cut_file_refuses_to_load_and_both_sums_are_named(path: Path) -> None:
    path.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(ModelIntegrityError, match=empty):
        load(path)


@pytest.mark.parametrize("missing", ["model.pth", "model.json"])
def test_a_missing_file_is_named_with_the_remedy(path: Path, missing: str) -> None:
    (path.parent / missing).unlink()
    with pytest.raises(ModelMissingError, match=f"{missing} is missing; help: run `make train`$"):
        load(path)


@pytest.mark.parametrize("text", ["", "[]", '{"version": "1.0.0"}', "{"])
def test_a_manifest_that_is_none_refuses_to_load(path: Path, text: str) -> None:
    manifest_path(path).write_text(text)
    with pytest.raises(ModelIntegrityError, match="not a model's manifest"):
        load(path)


def test_a_file_with_the_right_sum_that_is_no_model_refuses_to_load(path: Path) -> None:
    state = torch.load(path, weights_only=True)
    del state["within"]
    torch.save(state, path)
    _resign(path)
    with pytest.raises(ModelIntegrityError, match="not a model of this service"):
        load(path)


def test_a_file_that_would_run_code_is_not_run(path: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    torch.save({"version": "1.2.3", "trap": Trap()}, path)
    _resign(path)
    with pytest.raises(ModelIntegrityError):
        load(path)
    assert not (tmp_path / "sprung").exists()


def test_a_manifest_of_another_version_refuses_to_load(path: Path) -> None:
    entries = json.loads(manifest_path(path).read_text())
    manifest_path(path).write_text(json.dumps({**entries, "version": "9.9.9"}))
    with pytest.raises(ModelIntegrityError, match=r"9\.9\.9"):
        load(path)


def test_every_refusal_is_a_model_error() -> None:
    assert issubclass(ModelMissingError, ModelError)
    assert issubclass(ModelIntegrityError, ModelError)


def _resign(path: Path) -> None:
    """Give the manifest the sum of the file as it is."""
    import hashlib

    entries = json.loads(manifest_path(path).read_text())
    entries["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest_path(path).write_text(json.dumps(entries))
