"""Loading, watching and swapping the model."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from ml.registry import ModelIntegrityError, ModelMissingError, load
from ml.scorer import Scorer
from worker.model_holder import REST_SECONDS, WATCH_SECONDS, ModelHolder, resting
from worker.promotion import Promotions

PRODUCTION = Path(__file__).resolve().parents[2] / "models" / "production"


def copy_model(target: Path) -> Path:
    target.mkdir(parents=True)
    for name in ("model.pth", "model.json"):
        shutil.copy(PRODUCTION / name, target)
    return target / "model.pth"


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def holder(tmp_path: Path, seen: list[Scorer] | None = None) -> ModelHolder:
    path = PRODUCTION / "model.pth"
    changes = [] if seen is None else seen
    return ModelHolder(path, Promotions(tmp_path), "cpu", changes.append)


def test_the_shipped_model_is_held_while_nothing_is_promoted(tmp_path: Path) -> None:
    seen: list[Scorer] = []
    held = holder(tmp_path, seen)
    scorer = held.start()
    held.stop()
    assert held.current().scorer is scorer
    assert 50 < held.current().equal_error < held.current().secure <= 100
    assert seen == [scorer]
    assert held.refresh() is False


def test_a_promoted_model_is_taken_by_the_watch_and_only_once(tmp_path: Path) -> None:
    seen: list[Scorer] = []
    held = holder(tmp_path, seen)
    first = held.start()
    copy_model(tmp_path / "1.0.1")
    Promotions(tmp_path).promote("1.0.1")
    deadline = time.monotonic() + 10 * WATCH_SECONDS
    while held.current().scorer is first:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    held.stop()
    assert len(seen) == 2
    assert held.refresh() is False


def test_a_promoted_model_outranks_the_shipped_one_at_the_start(tmp_path: Path) -> None:
    path = copy_model(tmp_path / "1.0.1")
    Promotions(tmp_path).promote("1.0.1")
    held = ModelHolder(tmp_path / "none.pth", Promotions(tmp_path), "cpu", lambda _: None)
    held.start()
    held.stop()
    assert path.exists()


def test_a_damaged_promotion_is_refused_and_the_present_model_stays(tmp_path: Path) -> None:
    held = holder(tmp_path)
    first = held.start()
    held.stop()
    damage(copy_model(tmp_path / "1.0.1"))
    Promotions(tmp_path).promote("1.0.1")
    assert held.refresh() is False
    assert held.current().scorer is first


@pytest.mark.parametrize("pointer", [b"\xff\xfe", b"a\0b", b"../../etc", b"9" * 300])
def test_no_pointer_ends_the_watch_and_a_good_one_is_taken_after_it(
    tmp_path: Path, pointer: bytes
) -> None:
    held = holder(tmp_path)
    first = held.start()
    held.stop()
    (tmp_path / "current").write_bytes(pointer)
    assert held.refresh() is False
    assert held.current().scorer is first
    copy_model(tmp_path / "1.0.1")
    Promotions(tmp_path).promote("1.0.1")
    assert held.refresh() is True


def test_a_damaged_promotion_that_was_repaired_is_taken(tmp_path: Path) -> None:
    held = holder(tmp_path)
    held.start()
    held.stop()
    path = copy_model(tmp_path / "1.0.1")
    damage(path)
    Promotions(tmp_path).promote("1.0.1")
    assert held.refresh() is False
    shutil.copy(PRODUCTION / "model.pth", path)
    os.utime(path, ns=(1, 1))
    assert held.refresh() is True


def test_a_promotion_whose_manifest_comes_after_its_weights_is_taken(tmp_path: Path) -> None:
    held = holder(tmp_path)
    held.start()
    held.stop()
    path = copy_model(tmp_path / "1.0.1")
    path.with_suffix(".json").unlink()
    Promotions(tmp_path).promote("1.0.1")
    assert held.refresh() is False
    shutil.copy(PRODUCTION / "model.json", path.with_suffix(".json"))
    assert held.refresh() is True


def test_a_start_beside_a_damaged_promotion_holds_the_shipped_model(tmp_path: Path) -> None:
    damage(copy_model(tmp_path / "1.0.1"))
    Promotions(tmp_path).promote("1.0.1")
    held = holder(tmp_path)
    assert held.start().model_version == load(PRODUCTION / "model.pth").model_version
    held.stop()


def test_a_model_that_is_missing_or_damaged_is_no_start(tmp_path: Path) -> None:
    missing = ModelHolder(tmp_path / "m.pth", Promotions(tmp_path), "cpu", lambda _: None)
    with pytest.raises(ModelMissingError, match="make train"):
        missing.start()
    damaged = copy_model(tmp_path / "shipped")
    damage(damaged)
    with pytest.raises(ModelIntegrityError):
        ModelHolder(damaged, Promotions(tmp_path), "cpu", lambda _: None).start()


def work() -> str:
    digest = b""
    for _ in range(20_000):
        digest = hashlib.sha256(digest).digest()
    return digest.hex()


def test_a_thread_that_rests_does_the_same_work_and_leaves_time_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = work()
    slept: list[float] = []
    monkeypatch.setattr("worker.model_holder.time.sleep", slept.append)
    with resting():
        assert work() == wanted
    assert set(slept) == {REST_SECONDS}
    assert sys.getprofile() is None


def test_an_error_ends_the_rests() -> None:
    with pytest.raises(KeyError), resting():
        raise KeyError
    assert sys.getprofile() is None
