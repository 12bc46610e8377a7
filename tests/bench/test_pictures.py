"""The pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def test_a_point_without_a_latency_and_one_that_is_off_every_tick_are_drawn_round(
    tmp_path: Path,
) -> None:
    points: list[dict[str, Any]] = [
        {"name": "service", "rate": 100, "p50_ms": 0.2, "p99_ms": 20_000.0, "answered": 1.0},
        {"name": "service", "rate": 200, "p50_ms": None, "p99_ms": None, "answered": 0.0},
    ]
    draw(document(curve=points), tmp_path)
    assert (tmp_path / "latency.png").exists()
