from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml import registry
from ml.registry import manifest
from scripts.evaluate_model import service
from tests.ml.any_typing import any_typing, write_events
from tests.scripts.run_script import ROOT, run
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.settings import WorkerSettings

SCRIPT = "evaluate_model.py"
MODEL = ROOT / "models/production/model.pth"
PICTURES = ("det.png", "scores.png", "reliability.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 2,000 samples to test on."""
    folder = tmp_path_factory.mktemp("evaluation")
    flags = ("--samples", 2_000, "--output", "data/raw/test_data.csv", "--seed", 9)
    assert run("generate_synthetic.py", *flags, folder=folder).returncode == 0
    return folder


def test_the_documented_line_reports_every_figure_with_its_interval(folder: Path) -> None:
    flags = ("--model", MODEL, "--test-data", "data/raw/test_data.csv", "--resamples", 20)
    done = run(SCRIPT, *flags, folder=folder)
    assert done.returncode == 0, done.stderr
    report = json.loads((folder / "reports/report.json").read_text())
    figures = report["data"]["synthetic people"]["figures"]
    for name in ("accuracy", "precision", "recall", "f1", "far", "frr", "auc", "eer"):
        assert figures[name]["low"] <= figures[name]["value"] <= figures[name]["high"]
    assert report["model_version"] == manifest(MODEL).version
    assert done.stdout.strip() == (folder / "reports/report.md").read_text().strip()
    for name in PICTURES:
        assert (folder / "reports" / name).is_file()


def test_the_documented_test_data_is_made_where_it_is_missing(tmp_path: Path) -> None:
    done = run(SCRIPT, "--model", MODEL, "--resamples", 5, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "took part in no training" in " ".join(done.stderr.split())
    assert (tmp_path / "data/raw/test_data.csv").is_file()


def test_other_missing_test_data_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    done = run(SCRIPT, "--model", MODEL, "--test-data", "own.csv", folder=tmp_path)
    assert done.returncode == 1
    assert "no test data at own.csv; help:" in done.stderr
    assert not (tmp_path / "own.csv").exists()


def test_a_missing_model_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    done = run(SCRIPT, "--model", "none.pth", folder=tmp_path)
    assert done.returncode == 1
    assert "help: run `make train`" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_what_is_no_device_is_an_error_without_a_trace(tmp_path: Path) -> None:
    done = run(SCRIPT, "--model", MODEL, "--device", "banana", folder=tmp_path)
    assert done.returncode == 1
    assert "no device 'banana'; help:" in done.stderr
    assert "Traceback" not in done.stderr


def test_verification_without_real_people_leaves_the_page_alone_on_a_laptop(
    tmp_path: Path,
) -> None:
    flags = ("--protocol", "verification", "--model", MODEL, "--document", "accuracy.md")
    nowhere = {"AALTO_KEYSTROKES": str(tmp_path / "none.csv.gz"), "CI": ""}
    done = run(SCRIPT, *flags, folder=tmp_path, environment=nowhere)
    assert done.returncode == 0, done.stderr
    assert "real people: skipped" in done.stderr
    assert not (tmp_path / "accuracy.md").exists()


def test_verification_without_real_people_fails_in_ci(tmp_path: Path) -> None:
    nowhere = {"AALTO_KEYSTROKES": str(tmp_path / "none.csv.gz"), "CI": "true"}
    flags = ("--protocol", "verification", "--model", MODEL)
    done = run(SCRIPT, *flags, folder=tmp_path, environment=nowhere)
    assert done.returncode == 1
    assert "no keystrokes of real people" in done.stderr


def test_anybodys_key_events_are_judged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sessions = {(p, s): any_typing(60, rng) for p in range(5) for s in range(6)}
    events = write_events(tmp_path / "events.csv", sessions)
    flags = ("--protocol", "verification", "--model", MODEL, "--enrol", 3, "--resamples", 5)
    done = run(SCRIPT, *flags, "--events", events, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "reports/report.json").read_text())
    assert report["study"] == "events.csv"
    assert report["rows"]["rich_one"]["counts"]["people"] == 5
    assert list(report["history_lengths"]) == ["rich_history_1", "rich_history_3"]
    assert (tmp_path / "reports/det-history.png").is_file()
    assert "| rich windows, one session, history of 3 sessions |" in done.stdout


def test_sessions_with_too_short_a_history_are_an_error_that_says_so(folder: Path) -> None:
    flags = ("--protocol", "verification", "--model", MODEL, "--enrol", 500)
    done = run(SCRIPT, *flags, "--test-data", "data/raw/test_data.csv", folder=folder)
    assert done.returncode == 1
    assert "people with 500 sessions of history" in " ".join(done.stderr.split())


def test_a_fixed_password_is_judged_several_logins_at_once(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    sessions = {(p, s): any_typing(11, rng) for p in range(4) for s in range(12)}
    events = write_events(tmp_path / "login.csv", sessions)
    flags = ("--protocol", "verification", "--model", MODEL, "--enrol", 2, "--resamples", 5)
    done = run(SCRIPT, *flags, "--events", events, folder=tmp_path)
    assert done.returncode == 1
    assert "login.csv: 0 people have a session of 15 keys" in " ".join(done.stderr.split())
    done = run(SCRIPT, *flags, "--events", events, "--join", 3, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "reports/report.json").read_text())
    assert report["rows"]["four_one"]["counts"]["people"] == 4


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--protocol", "verification", "--events", "x.csv"), "neither --events nor --test-data"),
        (("--protocol", "verification", "--test-data", "x.csv"), "help: --output FOLDER"),
        ((), "it takes --protocol verification"),
    ],
)
def test_the_page_is_written_of_its_own_study_only(
    tmp_path: Path, flags: tuple[str, ...], complaint: str
) -> None:
    done = run(SCRIPT, "--model", MODEL, "--document", "page.md", *flags, folder=tmp_path)
    assert done.returncode == 2
    assert complaint in " ".join(done.stderr.split())
    assert not (tmp_path / "page.md").exists()


def test_the_service_that_is_attacked_has_the_workers_rule_and_quota() -> None:
    defended = service(registry.load(MODEL, "cpu"), MODEL)
    fields = WorkerSettings.model_fields
    assert defended.updates_per_day == fields["updates_per_day"].default
    rule = EnrolmentRule(fields["update_confidence"].default, fields["update_anomaly"].default)
    secure = defended.scorer.model.operating_points["secure"].threshold
    held = HeldModel(
        defended.scorer,
        int(manifest(MODEL).thresholds["equal_error"]["confidence"]),
        secure,
    ).rule(rule)
    for known in (0, 1, 4, 5, 50):
        confidence, recorded = np.arange(101), np.full(101, known)
        expected = held.admits(confidence, np.zeros(101), recorded)
        assert np.array_equal(defended.admits(confidence, np.zeros(101), recorded), expected)
