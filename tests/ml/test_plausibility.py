from __future__ import annotations

import numpy as np
import pytest
import torch

from ml import attacks
from ml.aalto import aalto
from ml.dataset import SessionTable
from ml.plausibility import QUANTILES, error_quantiles, fit_autoencoder, standardise
from ml.population import Population
from ml.scorer import Scorer
from ml.synthetic import people


def test_genuine_sessions_spread_evenly_over_the_quantiles(shipped: Scorer) -> None:
    new = people(aalto(), np.full(300, 10), np.random.default_rng(1))
    anomaly = shipped.anomaly(new.features)
    for quantile in (0.25, 0.5, 0.75, 0.95):
        assert (anomaly <= quantile).mean() == pytest.approx(quantile, abs=0.06)


def test_bots_are_more_unusual_than_people(shipped: Scorer) -> None:
    bots = attacks.bots(2_000, np.random.default_rng(2))
    assert (shipped.anomaly(bots) > 0.99).mean() > 0.95


def test_the_quantiles_ascend(population: Population, crowd: SessionTable) -> None:
    network = fit_autoencoder(population, crowd.features, 1, 0)
    errors = error_quantiles(population, network, crowd.features)
    assert errors.shape == (QUANTILES,)
    assert (np.diff(errors) >= 0).all()


def test_training_twice_gives_the_same_bits(population: Population, crowd: SessionTable) -> None:
    first, second = (fit_autoencoder(population, crowd.features, 1, 5) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_standard_features_have_mean_zero_and_deviation_one(
    population: Population, crowd: SessionTable
) -> None:
    standard = standardise(population, crowd.features)
    assert np.abs(standard.mean(axis=0)).max() < 0.05
    assert standard.std(axis=0) == pytest.approx(np.ones(6), abs=0.05)
