"""A network's forward pass in blocks of rows, so that a row's bits do not depend on its company."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ml.blocks import in_blocks

Floats = NDArray[np.float64]
Step = Callable[[Any], Any]  # of NumPy's arrays on the CPU, whose calls cost less than torch's


class BlockPass:
    """Runs a chain of layers in float64 on one device, without the modules' own calls: those cost more than a block."""

    def __init__(self, layers: nn.Sequential, device: str) -> None:
        self._device = device
        self._steps = [step for layer in layers for step in _steps(layer, device)]

    def __call__(self, rows: Floats) -> Floats:
        """The outputs (B, out) of (B, in)."""
        blocks: Any = in_blocks(rows)
        if self._device != "cpu":
            blocks = torch.from_numpy(blocks).to(self._device)
        for step in self._steps:
            blocks = step(blocks)
        if self._device != "cpu":
            blocks = blocks.cpu().numpy()
        return np.asarray(blocks.reshape(-1, blocks.shape[2])[: len(rows)])


def _steps(layer: nn.Module, device: str) -> list[Step]:
    """What a layer does when it is not being trained. Raises ValueError for a kind that is not known here."""
    cpu = device == "cpu"
    if isinstance(layer, nn.Dropout):
        return []
    if isinstance(layer, nn.ReLU):
        return [_relu if cpu else torch.relu]
    if isinstance(layer, nn.Tanh):
        return [np.tanh if cpu else torch.tanh]
    if isinstance(layer, nn.Sigmoid):
        return [_sigmoid if cpu else torch.sigmoid]
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"no forward pass for a layer of the kind {type(layer).__name__}")
    weight: Any = layer.weight.detach().double().to(device).t().contiguous()[None]  # (1, in, out)
    bias: Any = layer.bias.detach().double().to(device)  # (out,)
    if cpu:
        weight, bias = weight.numpy().copy(), bias.numpy().copy()
    return [lambda blocks: blocks @ weight, lambda blocks: blocks.__iadd__(bias)]


def _relu(values: Floats) -> Floats:
    return np.asarray(np.maximum(values, 0.0, out=values))


def _sigmoid(values: Floats) -> Floats:
    with np.errstate(over="ignore"):  # 1 / infinity is the 0 that is meant
        return np.asarray(1.0 / (1.0 + np.exp(-values)))
