from __future__ import annotations

from pathlib import Path

from ml.accuracy_page import page
from ml.registry import manifest
from ml.report import FIGURES
from tests.ml.conftest import ROOT
from tests.ml.test_report import evaluation


def test_the_page_says_model_threshold_figures_source_and_limits() -> None:
    blind = {"auc": 0.5, "least_confidence": 50.0, "greatest_confidence": 50.0}
    shown = [evaluation("synthetic people"), evaluation("real people, history of 10")]
    text = page("1.0.0", 66, shown, shown[0], blind)
    assert "Model 1.0.0, whose confidence at the equal error rate is 66." in text
    assert "is no decision of the service" in text
    assert "| EER | 12.3 % (10.0 to 15.0) | 12.3 % (10.0 to 15.0) |" in text
    assert "every confidence\nbetween 50 and 50" in text
    assert "12.3 % global" in text
    assert "Dhakal" in text
    assert "## Limits" in text
    assert "{" not in text


def test_the_page_and_the_manifest_in_the_repository_say_the_same_of_real_people() -> None:
    text = (ROOT / "docs/accuracy.md").read_text()
    figures = manifest(ROOT / "models/production/model.pth").figures["real_people"]["figures"]
    assert set(FIGURES) == set(figures)
    for name, label in FIGURES.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {label} |"))
        unit, digits = (1, 3) if name == "auc" else (100, 1)
        value, low, high = (
            f"{unit * figures[name][p]:.{digits}f}" for p in ("value", "low", "high")
        )
        assert row.split(" | ")[-1].replace(" %", "") == f"{value} ({low} to {high}) |"


def test_the_page_in_the_repository_shows_its_pictures() -> None:
    text = (ROOT / "docs/accuracy.md").read_text()
    shown = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert len(shown) == 3
    for picture in shown:
        assert (Path(ROOT) / "docs" / picture).is_file()
