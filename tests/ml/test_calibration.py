from __future__ import annotations

import numpy as np
import pytest
import torch

from ml.calibration import best_scale, calibrate
from ml.networks import BehavioralAuthNN


def test_the_scale_is_the_one_of_least_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 4_000)
    genuine = rng.random(4_000) < 1 / (1 + np.exp(-1.7 * logits))
    found = best_scale(logits, genuine)

    def loss(scale: float) -> float:
        away = np.log1p(np.exp(np.where(genuine, -scale * logits, scale * logits)))
        return float(away[genuine].mean() + away[~genuine].mean())

    assert found == pytest.approx(1.7, abs=0.15)
    assert loss(found) <= min(loss(found * 0.98), loss(found * 1.02))


def test_logits_that_point_the_wrong_way_keep_a_positive_scale() -> None:
    logits = np.array([-3.0, -2.0, 2.0, 3.0])
    assert best_scale(logits, logits < 0) > 0


def test_a_calibrated_network_gives_even_odds_to_no_evidence() -> None:
    torch.manual_seed(0)
    network = BehavioralAuthNN().double().eval()
    rng = np.random.default_rng(1)
    channels = rng.normal(0, 2, (500, 6))
    calibrate(network, channels, channels.sum(axis=1) > 0)
    with torch.inference_mode():
        nothing = network(torch.zeros(1, 6, dtype=torch.float64))
    assert float(nothing) == pytest.approx(0.5, abs=1e-12)


def test_calibration_moves_every_logit_by_one_line() -> None:
    torch.manual_seed(2)
    network = BehavioralAuthNN().double().eval()
    channels = np.random.default_rng(3).normal(0, 2, (300, 6))
    given = torch.from_numpy(channels)
    with torch.inference_mode():
        before = network.logits(given) - network.logits(torch.zeros_like(given))
    scale = calibrate(network, channels, channels[:, 0] > 0)
    with torch.inference_mode():
        after = network.logits(given)
    assert torch.allclose(after, before * scale)
