"""Train once on real people and print what that gains over the shipped model; writes nothing.

Trained on the two thirds that figures come from, measured on the third that is reported: one sentence against a history
of ten, EER at one global threshold, with 95 % intervals by bootstrap over people.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch

from ml import registry
from ml.dataset import SessionTable
from ml.fitting import fit_model, own_samples, score
from ml.metrics import with_intervals
from ml.production import EPOCHS, TRAINING_SEED
from ml.real_people import RealPeopleMissingError, locate, read_chosen_on, read_reported
from ml.scorer import Scorer
from ml.training import Settings
from ml.trials import enrolled

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models/production/model.pth"


def main() -> int:
    """0 when the figures are printed, 1 when keystrokes or model are missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    torch.set_num_threads(1)
    try:
        path = locate(ROOT, os.environ)
        chosen, reported = read_chosen_on(path), read_reported(path)
        shipped = registry.load(MODEL)
    except (RealPeopleMissingError, registry.ModelError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    settings = Settings(epochs=EPOCHS, seed=TRAINING_SEED)
    own = fit_model(own_samples(chosen), settings, shipped.model_version, lambda *_: None)
    print("| input | shipped model | trained on real people |\n| --- | --- | --- |")
    for name, table in (("four numbers", reported.plain()), ("rich windows", reported)):
        cells = [_eer(scorer, table) for scorer in (shipped, Scorer(own.model))]
        print(f"| {name} | {' | '.join(cells)} |")
    return 0


def _eer(scorer: Scorer, table: SessionTable) -> str:
    scored = score(scorer, enrolled(table, 10, 40, np.random.default_rng(0)))
    eer = with_intervals(scored, 50, np.random.default_rng(0))["eer"]
    value, low, high = (100 * eer[part] for part in ("value", "low", "high"))
    return f"{value:.2f} % ({low:.2f} to {high:.2f})"


if __name__ == "__main__":
    sys.exit(main())
