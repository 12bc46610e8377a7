"""Which channels moved a score: exact Shapley values of the network's probability."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.coalitions import COALITIONS, PLAYERS, shapley_weights
from ml.networks import BehavioralAuthNN

# Rows a pass: 32 x 64 x 128 float32 are 1 MiB, a core's second cache. Microseconds a row on an EPYC with blocks of
# 8, 16, 32: 23, 20, 18 for any batch from 64 to 4,096.
BLOCK = 32


class Explainer:
    """Explains one network on one device, in float32. Holds weights, no state."""

    def __init__(self, network: BehavioralAuthNN, device: str) -> None:
        linear = [layer for layer in network.float().layers if isinstance(layer, nn.Linear)]
        self._weights = [layer.weight.detach().t().contiguous().to(device) for layer in linear]
        self._biases = [layer.bias.detach().to(device) for layer in linear]
        self._device = device
        self._shapley = torch.tensor(shapley_weights().T, dtype=torch.float32, device=device)
        self._block = BLOCK if device == "cpu" else 4096

    def importance(self, channels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each channel's share (B, 6) in moving the probability away from no evidence; rows sum to 1.

        A coalition keeps its own channels and sets the others to zero evidence. The absolute Shapley values are
        normalised; where nothing moved the score every channel has 1/6.
        """
        values = self.values(channels)  # (B, 6)
        size = np.abs(values)
        total = size.sum(axis=1, keepdims=True)  # (B, 1)
        moved = total > 1e-6  # below float32's own noise nothing moved
        return np.where(moved, size / np.where(moved, total, 1.0), 1.0 / PLAYERS)

    def values(self, channels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The signed Shapley values (B, 6); a row sums to p(channels) - p(no evidence)."""
        given = torch.as_tensor(channels, dtype=torch.float32, device=self._device)  # (B, 6)
        with torch.inference_mode():
            values = torch.empty_like(given)  # (B, 6)
            layers = self._layers(min(self._block, len(given)))
            for start in range(0, len(given), self._block):
                end = start + self._block
                self._explain(given[start:end], layers, values[start:end])
        return values.cpu().numpy().astype(np.float64)

    def _layers(self, rows: int) -> list[Tensor]:
        """Room for the outputs of all layers, used again by each block: (b * 64, 128), (b * 64, 64) and so on."""
        widths = [weight.shape[1] for weight in self._weights]
        return [torch.empty(rows * COALITIONS, width, device=self._device) for width in widths]

    def _explain(self, block: Tensor, layers: list[Tensor], values: Tensor) -> None:
        rows = len(block) * COALITIONS
        first, *others = [layer[:rows] for layer in layers]
        self._first_layer(block, first.view(len(block), COALITIONS, -1))
        output = first
        for weight, bias, layer in zip(self._weights[1:], self._biases[1:], others, strict=True):
            output = torch.addmm(bias, output.relu_(), weight, out=layer)  # (b * 64, out)
        probability = output.sigmoid_().view(len(block), COALITIONS)  # (b, 64)
        torch.mm(probability, self._shapley, out=values)  # (b, 6)

    def _first_layer(self, block: Tensor, sums: Tensor) -> None:
        """Every coalition's first layer (b, 64, 128), from the coalition that lacks its last player: one sum each."""
        parts = block[:, :, None] * self._weights[0]  # (b, 6, 128)
        sums[:, 0] = self._biases[0]
        for player in range(PLAYERS):
            known = 1 << player
            torch.add(sums[:, :known], parts[:, player, None], out=sums[:, known : 2 * known])
