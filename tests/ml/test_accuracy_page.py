from __future__ import annotations

import json
from typing import Any

import pytest

from ml.accuracy_page import asked, calibration, page
from ml.headline import headline
from ml.registry import manifest
from tests.ml.conftest import ROOT
from tests.ml.reports import figure, report


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """The report that the repository's pages were written from."""
    found: dict[str, Any] = json.loads((ROOT / "docs/accuracy.json").read_text())
    return found


def test_the_page_says_model_protocol_figures_source_and_limits() -> None:
    text = page(report())
    assert "Model 2.0.0." in text
    for part in ("Dhakal", "## Protocol", "## Attacks", "## Limits", "1 false match in 10,000"):
        assert part in text
    assert (
        "| this service | 559 of Aalto: the row rich_window | derived statistics | 50.0 %" in text
    )
    assert "{" not in text


def test_what_was_asked_is_reached_or_not_and_says_so() -> None:
    made = report()
    kept = {"calibration_error": figure(0.02)}
    made["rows"]["rich_one"]["figures"].update(auc=figure(0.995), eer=figure(0.04), **kept)
    near = {"value": 0.034, "low": 0.032, "high": 0.036}
    made["rows"]["rich_window"]["figures"].update(eer=near, **kept)
    verdicts = [line.rsplit("|", 2)[1].strip() for line in asked(made).splitlines()[2:]]
    assert verdicts == ["no", "no", "yes", "within the interval", "no", "yes"]


def test_the_word_on_calibration_is_that_of_the_report() -> None:
    made = report()
    made["rows"]["rich_one"]["figures"]["calibration_error"] = figure(0.02)
    text = calibration(made)
    kept, missed = text.split("**Missed by: ")
    assert "reached by: the row rich_one." in kept
    assert missed.startswith("the row four_one (50.0 % (45.0 to 55.0)); ")
    assert "the row rich_one" not in missed
    for row in made["rows"].values():
        row["figures"]["calibration_error"] = figure(0.02)
    assert "Missed" not in calibration(made)
    assert calibration(made) in " ".join(page(made).splitlines())


def test_a_missed_calibration_is_a_missed_target() -> None:
    made = report()
    exact = {"auc": figure(0.999), "eer": figure(0.01), "calibration_error": figure(0.2)}
    made["rows"]["four_one"]["figures"].update(exact)
    line = asked(made).splitlines()[2]
    assert "calibration error 3.0 %" in line
    assert line.endswith("| no |")


def test_page_and_read_me_are_those_of_the_report_beside_them(shown: dict[str, Any]) -> None:
    assert (ROOT / "docs/accuracy.md").read_text() == page(shown)
    assert headline(shown) in (ROOT / "README.md").read_text()


def test_the_report_is_of_the_shipped_model(shown: dict[str, Any]) -> None:
    shipped = manifest(ROOT / "models/production/model.pth")
    assert (shown["model_version"], shown["model_sha256"]) == (shipped.version, shipped.sha256)


def test_the_page_in_the_repository_shows_its_pictures() -> None:
    text = (ROOT / "docs/accuracy.md").read_text()
    pictures = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line[:2] == "!["]
    assert len(pictures) == 5
    for picture in pictures:
        assert (ROOT / "docs" / picture).is_file()
