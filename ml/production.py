"""How the shipped model is made: on synthetic people only, from one seed."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np

from ml.aalto import aalto, measurements, summary_population
from ml.fitting import Fitted, fit_model
from ml.samples import Samples, generate
from ml.training import Progress, Settings

VERSION = "2.1.0"
SAMPLES = 100_000
LEGITIMATE_RATIO = 0.8
DATA_SEED = 20_240_901
TRAINING_SEED = 7
EPOCHS = 30
EVALUATION_SEED = 0  # drawn impostors and bootstrap: manifest and docs/accuracy.md say the same
TEST_SAMPLES = 20_000
TEST_SEED = 77_003  # other people than those trained on


def data() -> Samples:
    """The samples that the shipped model is trained on."""
    rng = np.random.default_rng(DATA_SEED)
    return generate(aalto(), SAMPLES, LEGITIMATE_RATIO, rng)


def test_data() -> Samples:
    """Samples of synthetic people that took part in no training."""
    return generate(aalto(), TEST_SAMPLES, LEGITIMATE_RATIO, np.random.default_rng(TEST_SEED))


def fit(samples: Samples, progress: Progress) -> Fitted:
    """The shipped model: trained on synthetic people, its anomaly scale and thresholds measured on real ones."""
    settings = Settings(epochs=EPOCHS, seed=TRAINING_SEED)
    fitted = fit_model(
        samples, settings, VERSION, progress, rich=aalto().population, people=summary_population()
    )
    measured = measurements()
    if measured is None:
        return fitted
    points = {name: point.entry() for name, point in measured.operating_points.items()}
    rejection = {"reject_below": {"confidence": measured.reject_below}}
    return replace(
        fitted,
        model=replace(
            fitted.model,
            error_quantiles=measured.error_quantiles,
            operating_points=measured.operating_points,
            reject_below=measured.reject_below,
        ),
        thresholds={**fitted.thresholds, **points, **rejection},
    )


def manifest(samples: Samples, fitted: Fitted) -> dict[str, Any]:
    """What stands beside the shipped model; holds no time of day, so it is the same when made again."""
    return {
        **describe(samples, fitted, "synthetic people drawn from the figures in ml/aalto.json"),
        "seeds": {
            "data": DATA_SEED,
            "training": TRAINING_SEED,
            "evaluation": EVALUATION_SEED,
        },
    }


def describe(samples: Samples, fitted: Fitted, description: str) -> dict[str, Any]:
    """The manifest's part on data, figures and thresholds."""
    return {
        "data": {
            "description": description,
            "samples": len(samples),
            "legitimate": int(samples.legitimate.sum()),
            "users": fitted.users,
            "sha256": digest(samples),
        },
        "figures": {"validation_people": fitted.figures},
        "thresholds": fitted.thresholds,
    }


def digest(samples: Samples) -> str:
    """SHA-256 of the samples' users, times, numbers and kinds."""
    table = samples.sessions
    total = hashlib.sha256()
    for part in (table.user, table.unix_seconds, table.features, table.derived_rows()):
        total.update(np.ascontiguousarray(part).tobytes())
    total.update("\n".join(samples.kind.tolist()).encode())
    return total.hexdigest()
