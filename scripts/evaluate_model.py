"""Measure a model and write report.json, report.md and pictures.

--protocol samples (default): labelled samples as CSV; accuracy, precision, recall, F1, FAR, FRR, AUC, EER at one global
threshold and the calibration error. --protocol verification: real people, each held against the history of --enrol
sessions, from key events (--events), sessions (--test-data, .csv or .ndjson), or the study of docs/accuracy.md.
Every figure has a 95 % interval by bootstrap over users.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from ml import pictures, production, registry
from ml.accuracy_page import page
from ml.attacks_guess import FEWEST
from ml.cuts import joined
from ml.defended import Service
from ml.evaluation import on_samples
from ml.events import read_events
from ml.headline import replaced
from ml.real_people import REPORTED, RealPeopleMissingError, is_required, locate, third
from ml.report import table
from ml.samples import Samples, read, write
from ml.scorer import Scorer
from ml.training import DeviceMissingError, require_device
from ml.typed_input import read_requests
from ml.verification_report import markdown
from ml.verification_run import Study, study_of, study_of_table, verify
from worker.enrolment import EnrolmentRule
from worker.settings import WorkerSettings

FEW_PEOPLE = (
    f"population guess: left out; the guesses come from half of the people, and {FEWEST} are needed"
)
ROOT = Path(__file__).resolve().parent.parent
TEST_DATA = Path("data/raw/test_data.csv")
POINT = "balanced"  # where the service is attacked
FAILURES = (registry.ModelError, RealPeopleMissingError, DeviceMissingError, OSError, ValueError)


def main() -> int:
    """0 when the report is written, 1 when the model or the data are missing or wrong."""
    arguments = _arguments()
    console = Console(stderr=True)
    try:
        require_device(arguments.device)
        scorer = registry.load(arguments.model, arguments.device)
        if arguments.protocol == "verification":
            _verification(arguments, scorer, console)
        else:
            _samples(arguments, scorer, console)
    except FAILURES as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    return 0


def _verification(arguments: argparse.Namespace, scorer: Scorer, console: Console) -> None:
    study = _study(arguments, console)
    if study is None:
        return
    with _bar(console, None) as step:
        outcome = verify(
            scorer,
            study,
            patterns=arguments.enrol,
            seed=arguments.seed,
            resamples=arguments.resamples,
            service=service(scorer, arguments.model) if arguments.attacks else None,
            curves=study.events is not None,
            tick=step,
        )
    for found in outcome.report["attacks"].values():
        if "population_guess" not in found:
            console.print(FEW_PEOPLE, markup=False)
            break
    outcome.draw(arguments.output)
    _write(arguments.output, outcome.report, markdown(outcome.report))
    document: Path | None = arguments.document
    if document is not None:
        outcome.draw(document.parent / document.stem)
        _dump(outcome.report, document.with_suffix(".json"))
        document.write_text(page(outcome.report))
        readme = document.parent.parent / "README.md"
        if readme.is_file():
            readme.write_text(replaced(readme.read_text(), outcome.report))


def service(scorer: Scorer, model: Path) -> Service:
    """The service with the worker's own rule of enrolment and quota, at its default settings."""
    fields = WorkerSettings.model_fields
    rule = EnrolmentRule(fields["update_confidence"].default, fields["update_anomaly"].default)
    threshold = scorer.model.operating_points[POINT].threshold
    equal_error = int(registry.manifest(model).thresholds["equal_error"]["confidence"])
    secure = scorer.model.operating_points["secure"].threshold
    admits = rule.above(secure, equal_error).admits
    return Service(scorer, threshold, admits, fields["updates_per_day"].default)


def _study(arguments: argparse.Namespace, console: Console) -> Study | None:
    """Whom to judge; None, after saying so, where the study of docs/accuracy.md is wanted and missing on a laptop."""
    if arguments.events is not None:
        events = read_events(arguments.events)
        if arguments.join > 1:
            events = joined(events, arguments.join)
        return study_of(arguments.events.name, events, None, "session", True)
    if arguments.test_data is not None:
        path: Path = arguments.test_data
        ndjson = path.suffix == ".ndjson"
        found = read_requests(path) if ndjson else read(path).genuine()
        return study_of_table(path.name, found)
    try:
        events = read_events(locate(ROOT, os.environ))
    except RealPeopleMissingError as error:
        if is_required(os.environ):
            raise
        console.print(f"real people: skipped, {error}", markup=False)
        return None
    reported = third(events.user) == REPORTED
    name = "the third of the Aalto study that chose nothing"
    return study_of(name, events.rows(reported), events.rows(~reported), "sentence", False)


def _samples(arguments: argparse.Namespace, scorer: Scorer, console: Console) -> None:
    threshold = registry.manifest(arguments.model).thresholds["equal_error"]["confidence"]
    samples = _test_data(arguments.test_data or TEST_DATA, console)
    with _bar(console, 1) as step:
        rng = np.random.default_rng(arguments.seed)
        measured = [on_samples(scorer, samples, threshold, rng, arguments.resamples)]
        step()
    report = {
        "model_version": scorer.model_version,
        "data": {evaluation.name: evaluation.entry() for evaluation in measured},
    }
    _write(arguments.output, report, table(measured) + "\n")
    folder: Path = arguments.output
    pictures.det(measured, "Error trade-off", folder / "det.png")
    pictures.scores(measured, {"equal errors": threshold}, folder / "scores.png")
    pictures.reliability(measured, folder / "reliability.png")


def _test_data(path: Path, console: Console) -> Samples:
    if path == TEST_DATA and not path.exists():
        console.print(
            f"no {path}: writing {production.TEST_SAMPLES} samples of synthetic people that took "
            f"part in no training (seed {production.TEST_SEED})",
            markup=False,
        )
        write(production.test_data(), path, lambda rows: None)
    if not path.is_file():
        raise FileNotFoundError(
            f"no test data at {path}; help: python scripts/generate_synthetic.py --seed 2 --output {path}"
        )
    return read(path)


def _write(folder: Path, report: dict[str, Any], text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _dump(report, folder / "report.json")
    (folder / "report.md").write_text(text)
    print(text)


def _dump(report: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(report, indent=1) + "\n")


@contextmanager
def _bar(console: Console, steps: int | None) -> Iterator[Callable[[], None]]:
    with Progress(console=console) as progress:
        task = progress.add_task("measuring", total=steps)
        yield lambda: progress.advance(task)


def _arguments() -> argparse.Namespace:
    parser = _parser()
    found = parser.parse_args()
    own = found.events is not None or found.test_data is not None
    if found.document is not None and (own or found.protocol != "verification"):
        parser.error(
            "--document writes the page of the study of docs/accuracy.md: it takes --protocol verification and "
            "neither --events nor --test-data; help: --output FOLDER holds the report of other people"
        )
    if found.join > 1 and found.events is None:
        parser.error("--join takes sessions together that --events holds; help: name such a file")
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--model", type=Path, default=Path("models/production/model.pth"), help="its .pth file")
    add("--protocol", choices=("samples", "verification"), default="samples", help="see above")
    add("--enrol", type=_positive, default=10, help="sessions of history a person")
    add("--events", type=Path, help="key events as CSV, gzipped or not: everybody is judged")
    add("--join", type=_positive, default=1, help="so many sessions of a person in a row are one")
    add("--test-data", type=Path, help=f"sessions; labelled samples default to {TEST_DATA}")
    add("--attacks", action="store_true", help="attack the service as well")
    add("--output", type=Path, default=Path("reports"), help="folder of the report")
    add("--document", type=Path, help="page to write, with its figures, pictures and the read-me")
    add("--device", default="cpu", help="cpu, cuda or cuda:1")
    add("--resamples", type=_positive, default=200, help="of the bootstrap")
    seed = production.EVALUATION_SEED
    add("--seed", type=int, default=seed, help="of the drawn impostors and the bootstrap")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
