"""Measure a model and write report.json, report.md and pictures.

Accuracy, precision, recall, F1, FAR, FRR, AUC, EER at one global threshold and the calibration error, each with a 95 %
interval by bootstrap over users. --full measures on fresh synthetic people and, where their keystrokes are, on real
ones, and writes docs/accuracy.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

from ml import production, registry
from ml.accuracy_page import page
from ml.dataset import SessionTable
from ml.evaluation import Evaluation, on_people, on_samples, without_history
from ml.pictures import draw
from ml.real_people import RealPeopleMissingError, is_required, locate, read_reported
from ml.report import table
from ml.samples import Samples, read, write
from ml.scorer import Scorer
from ml.training import DeviceMissingError, require_device

ROOT = Path(__file__).resolve().parent.parent
TEST_DATA = Path("data/raw/test_data.csv")
ENROLMENTS = (1, 5, 10)
FAILURES = (registry.ModelError, RealPeopleMissingError, DeviceMissingError, OSError, ValueError)


def main() -> int:
    """0 when the report is written, 1 when the model or the data are missing or wrong."""
    arguments = _parser().parse_args()
    console = Console(stderr=True)
    try:
        require_device(arguments.device)
        scorer = registry.load(arguments.model, arguments.device)
        threshold = registry.manifest(arguments.model).thresholds["equal_error"]["confidence"]
        if arguments.full:
            _full(arguments, scorer, threshold, console)
        else:
            samples = _test_data(arguments.test_data, console)
            with _bar(console, 1) as step:
                measured = _on_samples(arguments, scorer, samples, threshold)
                step()
            _write(arguments.output, scorer, [measured], {})
    except FAILURES as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    return 0


def _full(arguments: argparse.Namespace, scorer: Scorer, threshold: int, console: Console) -> None:
    people = _real_people(console)
    with _bar(console, len(ENROLMENTS) + 2) as step:
        measured = [_on_samples(arguments, scorer, production.test_data(), threshold)]
        step()
        if people is None:
            _write(arguments.output, scorer, measured, {})
            return
        for enrol in ENROLMENTS:
            rng = np.random.default_rng(arguments.seed)
            given = {"enrol": enrol, "resamples": arguments.resamples}
            measured.append(on_people(scorer, people, threshold, rng, **given))
            step()
        blind = without_history(scorer, people, np.random.default_rng(arguments.seed))
        step()
    _write(arguments.output, scorer, measured, {"without_history": blind})
    document: Path = arguments.document
    draw(measured, document.parent / document.stem)
    text = page(scorer.model_version, threshold, measured, measured[0], blind)
    document.write_text(text)


def _on_samples(
    arguments: argparse.Namespace, scorer: Scorer, samples: Samples, threshold: int
) -> Evaluation:
    rng = np.random.default_rng(arguments.seed)
    return on_samples(scorer, samples, threshold, rng, arguments.resamples)


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


def _real_people(console: Console) -> SessionTable | None:
    try:
        return read_reported(locate(ROOT, os.environ))
    except RealPeopleMissingError as error:
        if is_required(os.environ):
            raise
        console.print(f"real people: skipped, {error}", markup=False)
        return None


def _write(
    folder: Path, scorer: Scorer, measured: Sequence[Evaluation], more: dict[str, Any]
) -> None:
    draw(measured, folder)
    report = {
        "model_version": scorer.model_version,
        "data": {evaluation.name: evaluation.entry() for evaluation in measured},
        **more,
    }
    (folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    text = table(measured) + "\n"
    (folder / "report.md").write_text(text)
    print(text)


@contextmanager
def _bar(console: Console, steps: int) -> Iterator[Any]:
    with Progress(console=console) as progress:
        task = progress.add_task("measuring", total=steps)
        yield lambda: progress.advance(task)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--model", type=Path, default=Path("models/production/model.pth"), help="its .pth file")
    add("--test-data", type=Path, default=TEST_DATA, help="labelled sessions as CSV")
    add("--full", action="store_true", help="fresh synthetic people and real people")
    add("--output", type=Path, default=Path("reports"), help="folder of the report")
    add("--document", type=Path, default=Path("docs/accuracy.md"), help="page that --full writes")
    add("--device", default="cpu", help="cpu, cuda or cuda:1")
    add("--resamples", type=int, default=200, help="of the bootstrap")
    seed = production.EVALUATION_SEED
    add("--seed", type=int, default=seed, help="of the drawn impostors and the bootstrap")
    return parser


if __name__ == "__main__":
    sys.exit(main())
