"""Which channels moved a score: exact Shapley values of the network's probability."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ml.coalitions import PLAYERS, members, shapley_weights
from ml.networks import BehavioralAuthNN

# Rows a pass: 64 x 16 x 128 float32 are 512 KiB, half of a core's second cache. Microseconds a row on an EPYC with
# blocks of 8, 16, 32 in batches of 64: 20.4, 18.7, 21.2.
BLOCK: Final = 16
BLOCK_ELSEWHERE: Final = 4096


class Explainer:
    """Explains one network on one device, in float32. Holds weights, no state.

    With the coalitions before the rows every step is one call over long runs of memory. A layer's bias b is never
    added: relu(y + b) = max(y, -b) + b, and what the last b gives in the next layer is part of that layer's bias.
    """

    def __init__(self, network: BehavioralAuthNN, device: str) -> None:
        linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
        weights = [layer.weight.detach().double().numpy().T for layer in linear]  # (in, out)
        biases = [layer.bias.detach().double().numpy() for layer in linear]  # (out,)
        for i in range(1, len(linear)):
            biases[i] = biases[i] + biases[i - 1] @ weights[i]
        self._cpu = device == "cpu"
        self._device = device
        self._math: Any = np if self._cpu else torch  # the same calls in both
        self._block = BLOCK if self._cpu else BLOCK_ELSEWHERE
        self._members = self._held(members())  # (64, 6)
        self._first = self._held(weights[0][:, None])  # (6, 1, 128)
        self._weights = [self._held(weight) for weight in weights[1:]]
        self._floors = [self._held(np.tile(-bias, self._block)) for bias in biases[:-1]]
        self._last = float(biases[-1][0])
        self._shapley = self._held(shapley_weights())  # (6, 64)

    def importance(self, channels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Each channel's share (B, 6) in moving the probability away from no evidence; rows sum to 1.

        A coalition keeps its own channels and sets the others to zero evidence. The absolute Shapley values are
        normalised; where nothing moved the score every channel has 1/6.
        """
        size = np.abs(self.values(channels))  # (B, 6)
        total = size.sum(axis=1, keepdims=True)  # (B, 1)
        moved = total > 1e-6  # below float32's own noise nothing moved
        return np.where(moved, size / np.where(moved, total, 1.0), 1.0 / PLAYERS)

    def values(self, channels: NDArray[np.float64]) -> NDArray[np.float64]:
        """The signed Shapley values (B, 6); a row sums to p(channels) - p(no evidence)."""
        given = self._held(channels.T)[:, :, None]  # (6, B, 1)
        with np.errstate(over="ignore"):  # of the sigmoid: 1 / infinity is the 0 that is meant
            blocks = [
                self._explain(given[:, start : start + self._block])
                for start in range(0, max(len(channels), 1), self._block)
            ]
        if not self._cpu:
            blocks = [block.cpu().numpy() for block in blocks]
        return np.concatenate(blocks, axis=1).T.astype(np.float64)

    def _explain(self, block: Any) -> Any:
        """The values (6, b) of channels (6, b, 1)."""
        rows = block.shape[1]
        parts = (block * self._first).reshape(PLAYERS, -1)  # (6, b * 128)
        output = self._math.matmul(self._members, parts)  # (64, b * 128)
        for floor, weight in zip(self._floors, self._weights, strict=True):
            width = weight.shape[0]
            self._math.maximum(output, floor[: rows * width], out=output)
            output = self._math.matmul(output.reshape(-1, width), weight)  # (64 * b, out)
            output = output.reshape(len(self._members), -1)  # (64, b * out)
        output += self._last  # (64, b)
        probability = 1.0 / (1.0 + self._math.exp(-output))
        return self._math.matmul(self._shapley, probability)  # (6, b)

    def _held(self, values: NDArray[Any]) -> Any:
        """As float32 on the device."""
        held = np.ascontiguousarray(values, dtype=np.float32)
        return held if self._cpu else torch.from_numpy(held).to(self._device)
