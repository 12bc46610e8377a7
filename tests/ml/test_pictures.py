from __future__ import annotations

from pathlib import Path

import numpy as np

from ml.metrics import Scored
from ml.pictures import attacks, det, reliability, scores
from ml.verification import Measured
from tests.ml.reports import figure, report


def measured(name: str) -> Measured:
    rng = np.random.default_rng(0)
    genuine = np.arange(400) % 2 == 0
    probability = np.clip(rng.normal(0.35 + 0.3 * genuine, 0.2), 0, 1)
    scored = Scored(probability, genuine, np.arange(400))
    return Measured("rich_one", name, {}, {"calibration_error": figure(0.02)}, {}, scored)


def draw(folder: Path) -> list[Path]:
    rows = [measured("some people"), measured("others")]
    det(rows, "Error trade-off", folder / "det.png")
    scores(rows, {"balanced": 90}, folder / "scores.png")
    reliability(rows, folder / "reliability.png")
    attacks(report()["attacks"], folder / "attacks.png")
    return sorted(folder.iterdir())


def test_every_picture_is_drawn_and_the_same_again(tmp_path: Path) -> None:
    first, second = draw(tmp_path / "a"), draw(tmp_path / "b")
    assert [path.name for path in first] == [
        "attacks.png",
        "det.png",
        "reliability.png",
        "scores.png",
    ]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes().startswith(b"\x89PNG")
        assert one.stat().st_size > 5_000
        assert one.read_bytes() == other.read_bytes()
