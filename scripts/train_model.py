"""Train a model on labelled sessions, and write it with its manifest.

The columns of --data are those that scripts/generate_synthetic.py writes; an operator's own sessions in that form
train as well. --production makes the shipped model again, from its fixed seeds.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress

from ml import production, registry
from ml.evaluation import on_people
from ml.fitting import Fitted, fit_model
from ml.real_people import RealPeopleMissingError, is_required, locate, read_reported
from ml.samples import read
from ml.scorer import Scorer
from ml.training import DeviceMissingError, Settings, require_device

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = Path("models/production/model.pth")
CHECKPOINT = Path("models/checkpoints/best_model.pth")


def main() -> int:
    """0 when the model is written, 1 when data or device are missing or wrong."""
    arguments = _parser().parse_args()
    console = Console(stderr=True)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)  # sums in one order: the same seed gives the same bits
    try:
        output = _train(arguments, console)
    except (DeviceMissingError, RealPeopleMissingError, OSError, ValueError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    print(f"{output}: version {registry.manifest(output).version}; to score with it:")
    print(f"MODEL_PATH={shlex.quote(str(output))} python -m worker online")
    return 0


def _train(arguments: argparse.Namespace, console: Console) -> Path:
    require_device(arguments.device)
    settings = _settings(arguments)
    if not re.fullmatch(r"\d+\.\d+\.\d+", arguments.version):
        raise ValueError(f"version must be MAJOR.MINOR.PATCH, not {arguments.version!r}")
    samples = production.data() if arguments.production else read(arguments.data)
    with Progress(console=console) as progress:
        bar = progress.add_task("training", total=arguments.epochs)

        def show(epoch: int, epochs: int, loss: float) -> None:
            text = f"epoch {epoch}: validation loss {loss:.4f}"
            progress.update(bar, completed=epoch, total=epochs, description=text)

        if arguments.production:
            fitted = production.fit(samples, show)
            manifest = production.manifest(samples, fitted)
            manifest["figures"] |= _on_real_people(fitted, console)
        else:
            fitted = fit_model(samples, settings, arguments.version, show)
            manifest = production.describe(samples, fitted, arguments.data.name)
            manifest["seeds"] = {"training": arguments.seed}
    output: Path = arguments.output or (PRODUCTION if arguments.production else CHECKPOINT)
    registry.save(fitted.model, output, manifest)
    console.print(_reached(fitted), highlight=False)
    return output


def _on_real_people(fitted: Fitted, console: Console) -> dict[str, Any]:
    try:
        table = read_reported(locate(ROOT, os.environ))
    except RealPeopleMissingError as error:
        if is_required(os.environ):
            raise
        console.print(f"real people: skipped, {error}", markup=False)
        return {}
    threshold = fitted.thresholds["equal_error"]["confidence"]
    rng = np.random.default_rng(production.EVALUATION_SEED)
    return {"real_people": on_people(Scorer(fitted.model), table, threshold, rng).entry()}


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        device=arguments.device,
        mixed_precision=arguments.mixed_precision,
        seed=arguments.seed,
    )


def _reached(fitted: Fitted) -> str:
    rates = ", ".join(
        f"{name.upper()} {fitted.figures[name]['value']:.3f} "
        f"({fitted.figures[name]['low']:.3f} to {fitted.figures[name]['high']:.3f})"
        for name in ("eer", "auc")
    )
    people = fitted.users["validated"]
    return f"{people} people held out, who chose early stopping, calibration and threshold: {rates}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    add = parser.add_argument
    add("--data", type=Path, default=Path("data/raw/training_data.csv"), help="labelled sessions")
    add("--epochs", type=int, default=100, help="at most; training stops early")
    add("--batch-size", type=int, default=256, help="comparisons a step")
    add("--learning-rate", type=float, default=0.001, help="of AdamW, halved on a plateau")
    add("--device", default="cpu", help="cpu, cuda or cuda:1")
    add("--mixed-precision", action="store_true", help="forward passes in bfloat16")
    add("--seed", type=int, default=0, help="the same seed, data and machine: the same file")
    add("--version", default=production.VERSION, help="of the model")
    add("--output", type=Path, help=f"file to write ({CHECKPOINT}, or {PRODUCTION})")
    add("--production", action="store_true", help="make the shipped model again; sets the rest")
    return parser


if __name__ == "__main__":
    sys.exit(main())
