"""Calibration: a probability that means what it says, and 50 % where there is no evidence."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ml.networks import BehavioralAuthNN

_STEPS = 50


def calibrate(
    network: BehavioralAuthNN, channels: NDArray[np.float64], genuine: NDArray[np.bool_]
) -> float:
    """Fold a scale and a shift into the last layer, in place; returns the scale.

    The shift lets zero evidence mean even odds, so only the scale is fitted, on the comparisons (N, 6), (N,) of people
    the network was not fitted on (Platt scaling without intercept; Guo et al., "On Calibration of Modern Neural
    Networks", ICML 2017).
    """
    last = network.layers[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.inference_mode():
        zero = network.logits(torch.zeros(1, channels.shape[1], dtype=torch.float64))
        logits = network.logits(torch.from_numpy(channels)) - zero
    scale = best_scale(logits.numpy(), genuine)
    with torch.no_grad():
        last.bias.copy_((last.bias - zero) * scale)
        last.weight.mul_(scale)
    return scale


def best_scale(logits: NDArray[np.float64], genuine: NDArray[np.bool_]) -> float:
    """The factor a that gives the least cross-entropy of sigmoid(a * logits), (N,), by Newton's method from 1.

    Genuine and impostor comparisons weigh alike in sum, so that even odds are the prior.
    """
    weight = np.where(genuine, 0.5 / max(genuine.sum(), 1), 0.5 / max((~genuine).sum(), 1))
    scale = 1.0
    for _ in range(_STEPS):
        probability = 1.0 / (1.0 + np.exp(-np.clip(scale * logits, -500, 500)))
        slope = float((weight * (probability - genuine) * logits).sum())
        curve = float((weight * probability * (1 - probability) * logits**2).sum())
        step = float(np.clip(slope / max(curve, 1e-9), -0.5, 0.5))
        scale = max(scale - step, 0.05)
        if abs(step) < 1e-10:
            break
    return scale
