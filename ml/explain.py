"""Which channels moved a score: exact Shapley values of the network's probability."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ml.coalitions import COALITIONS, PLAYERS, members, shapley_weights
from ml.networks import BehavioralAuthNN

BLOCK = 16  # rows a pass: 16 x 64 x 128 float32 are 512 KiB and stay in a core's cache


class Explainer:
    """Explains one network on one device, in float32."""

    def __init__(self, network: BehavioralAuthNN, device: str) -> None:
        self._network = network.float().to(device).eval()
        self._device = device
        self._members = torch.tensor(members(), dtype=torch.float32, device=device)  # (64, 6)
        self._weights = torch.tensor(shapley_weights().T, dtype=torch.float32, device=device)
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
            blocks = [self._explain(block) for block in torch.split(given, self._block)]
            joined = torch.cat(blocks) if blocks else given
        return joined.cpu().numpy().astype(np.float64)

    def _explain(self, block: Tensor) -> Tensor:
        masked = block[:, None, :] * self._members  # (b, 64, 6)
        probability = self._network(masked.view(-1, PLAYERS)).view(-1, COALITIONS)  # (b, 64)
        return torch.matmul(probability, self._weights)  # (b, 6)
