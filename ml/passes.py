"""A network's forward pass in blocks of always as many rows, so that a row's bits do not depend on its company.

A matrix product of another shape may add in another order, and the last bit of a score would depend on the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

BLOCK: Final = 32  # rows; what is missing in the last block is zeros

Step = Callable[[Tensor], Tensor]


class BlockPass:
    """Runs a chain of layers in float64 on one device, without the modules' own calls: those cost more than 32 rows."""

    def __init__(self, layers: nn.Sequential, device: str) -> None:
        self._device = device
        self._steps = [step for layer in layers for step in _steps(layer, device)]

    def __call__(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The outputs (B, out) of (B, in)."""
        count = len(rows)
        padded = np.zeros((-(-max(count, 1) // BLOCK) * BLOCK, rows.shape[1]))
        padded[:count] = rows
        with torch.inference_mode():
            given = torch.from_numpy(padded).to(self._device)
            blocks = [self._run(block) for block in torch.split(given, BLOCK)]
            output = (torch.cat(blocks) if len(blocks) > 1 else blocks[0]).cpu().numpy()
        return np.asarray(output[:count])

    def _run(self, block: Tensor) -> Tensor:
        for step in self._steps:
            block = step(block)
        return block


def _steps(layer: nn.Module, device: str) -> list[Step]:
    """What a layer does when it is not being trained. Raises ValueError for a kind that is not known here."""
    if isinstance(layer, nn.Dropout):
        return []
    if isinstance(layer, nn.ReLU):
        return [torch.relu]
    if isinstance(layer, nn.Tanh):
        return [torch.tanh]
    if isinstance(layer, nn.Sigmoid):
        return [torch.sigmoid]
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"no forward pass for a layer of the kind {type(layer).__name__}")
    weight = layer.weight.detach().double().to(device).t()  # (in, out)
    bias = layer.bias.detach().double().to(device)  # (out,)
    return [lambda block: torch.addmm(bias, block, weight)]
