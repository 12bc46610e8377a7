"""The pictures."""

from __future__ import annotations

from pathlib import Path

from bench.pictures import draw
from tests.bench.documents import document

PNG = b"\x89PNG"


def test_two_pictures_are_drawn(tmp_path: Path) -> None:
    draw(document(), tmp_path / "new")
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["latency.png", "throughput.png"]
    assert all(path.read_bytes()[:4] == PNG for path in (tmp_path / "new").iterdir())


def test_the_same_measurement_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        draw(document(), tmp_path / folder)
    one, two = ((tmp_path / folder / "latency.png").read_bytes() for folder in ("one", "two"))
    assert one == two


def test_without_a_curve_there_is_one_picture(tmp_path: Path) -> None:
    draw(document(curve=[]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["throughput.png"]
