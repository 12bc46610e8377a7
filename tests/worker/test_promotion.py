"""Which retrained model is in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker.promotion import Promotions


def place(promotions: Promotions, version: str) -> None:
    path = promotions.path(version)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"model")


def test_nothing_is_promoted_in_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    assert Promotions(tmp_path / "models").current() is None


def test_the_promoted_version_is_the_current_one_until_the_next_is(tmp_path: Path) -> None:
    promotions = Promotions(tmp_path)
    for version in ("1.0.1", "1.0.2"):
        place(promotions, version)
        promotions.promote(version)
        assert promotions.current() == tmp_path / version / "model.pth"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1.0.1", "1.0.2", "current"]


def test_a_version_without_a_model_is_not_promoted(tmp_path: Path) -> None:
    promotions = Promotions(tmp_path)
    place(promotions, "1.0.1")
    promotions.promote("1.0.1")
    with pytest.raises(FileNotFoundError, match=r"1\.0\.2"):
        promotions.promote("1.0.2")
    assert promotions.current() == promotions.path("1.0.1")


@pytest.mark.parametrize(
    ("there", "base", "following"),
    [
        ([], "1.0.0", "1.0.1"),
        (["1.0.1", "1.0.9", "1.0.10"], "1.0.0", "1.0.11"),
        (["1.0.1"], "1.0.4", "1.0.5"),
        (["1.1.7", "2.0.0"], "1.0.0", "1.0.1"),
        (["1.0.draft"], "1.0.0", "1.0.1"),
    ],
)
def test_the_next_version_is_above_its_base_and_above_all_that_lie_there(
    tmp_path: Path, there: list[str], base: str, following: str
) -> None:
    promotions = Promotions(tmp_path)
    for version in there:
        place(promotions, version)
    assert promotions.next_version(base) == following
