"""People and models that many tests look at; each is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml import registry
from ml.aalto import aalto
from ml.dataset import SessionTable
from ml.evidence import Evidence, Tails
from ml.fitting import Fitted, fit_model
from ml.population import Population, fit
from ml.samples import Samples, generate
from ml.scorer import Scorer
from ml.synthetic import people
from ml.training import Settings

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def crowd() -> SessionTable:
    """120 synthetic people with 20 sessions each."""
    return people(aalto(), np.full(120, 20), np.random.default_rng(5))


@pytest.fixture(scope="session")
def population(crowd: SessionTable) -> Population:
    return fit(crowd)


@pytest.fixture(scope="session")
def evidence(population: Population) -> Evidence:
    return Evidence(population, Tails())


@pytest.fixture(scope="session")
def samples() -> Samples:
    """3,000 labelled samples."""
    return generate(aalto(), 3_000, 0.8, np.random.default_rng(6))


@pytest.fixture(scope="session")
def fitted(samples: Samples) -> Fitted:
    """A small model, trained for three epochs."""
    return fit_model(samples, Settings(epochs=3, seed=1), "1.2.3", lambda *_: None)


@pytest.fixture(scope="session")
def shipped() -> Scorer:
    """The model that is part of the repository."""
    return registry.load(ROOT / "models/production/model.pth")
