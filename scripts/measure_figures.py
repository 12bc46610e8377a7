"""Measure the figures in ml/aalto.json again, on the two thirds of the real people that choices are made on.

First the population; then, with the model that `make train` makes of it, the quantiles of the anomaly score and the
operating points. Run `make train` afterwards: it takes them in.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ml import aalto, population, production
from ml.dataset import SessionTable
from ml.fitting import score
from ml.operating import operating_points, reject_below
from ml.plausibility import error_quantiles
from ml.real_people import RealPeopleMissingError, locate, read_chosen_on
from ml.rich_population import fit
from ml.scorer import Scorer
from ml.trials import enrolled

ROOT = Path(__file__).resolve().parent.parent
DIGITS = 6
SETTING = "real people of the thirds that choices are made on, one sentence of 48 keys, rich, history of 10"


def main() -> int:
    """0 when the file is written, 1 when the keystrokes are missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    try:
        table = read_chosen_on(locate(ROOT, os.environ))
    except (RealPeopleMissingError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    figures = {name: _rounded(figure) for name, figure in fit(table).state().items()}
    found: dict[str, Any] = {
        "source": "Dhakal et al., CHI 2018; people whose crc32 modulo 3 is 0 or 1",
        "people": len(table.users()),
        "sessions": len(table),
        "population": figures,
        "summary": {name: _rounded(figure) for name, figure in vars(population.fit(table)).items()},
    }
    _write(found)
    found |= _of_the_model(table)
    _write(found)
    return 0


def _of_the_model(table: SessionTable) -> dict[str, Any]:
    model = production.fit(production.data(), lambda *_: None).model
    scorer = Scorer(model)
    scored, four_numbers = (
        score(scorer, enrolled(each, 10, 40, np.random.default_rng(0)))
        for each in (table, table.plain())
    )
    rng = np.random.default_rng(0)
    points = operating_points(scored, SETTING, rng, four_numbers=four_numbers)
    quantiles = error_quantiles(model.population, model.autoencoder, table.features)
    return {
        "error_quantiles": _rounded(quantiles),
        "operating_points": {name: point.entry() for name, point in points.items()},
        "reject_below": reject_below(scored),
    }


def _rounded(figure: Any) -> Any:
    if figure.ndim > 1:
        return [_rounded(row) for row in figure]
    return [float(f"{value:.{DIGITS}g}") for value in figure.tolist()]


def _write(found: dict[str, Any]) -> None:
    aalto.FILE.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")
    aalto.aalto.cache_clear()
    aalto.summary_population.cache_clear()


if __name__ == "__main__":
    sys.exit(main())
