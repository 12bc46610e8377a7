from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ml.evaluation import Evaluation
from ml.metrics import Scored
from ml.pictures import draw
from tests.ml.test_report import evaluation


def scored() -> Evaluation:
    rng = np.random.default_rng(0)
    genuine = np.arange(400) % 2 == 0
    probability = np.clip(rng.normal(0.35 + 0.3 * genuine, 0.2), 0, 1)
    return replace(evaluation("some people"), scored=Scored(probability, genuine, np.arange(400)))


def test_three_pictures_are_drawn(tmp_path: Path) -> None:
    written = draw([scored(), scored()], tmp_path / "new")
    assert [path.name for path in written] == ["det.png", "scores.png", "reliability.png"]
    for path in written:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 5_000


def test_the_same_figures_are_the_same_picture(tmp_path: Path) -> None:
    first, second = (draw([scored()], tmp_path / name) for name in ("a", "b"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
