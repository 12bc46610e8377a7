"""The two networks: one turns evidence into a probability, the other knows what a human session looks like."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ml.features import FEATURES

BOTTLENECK = (
    3  # speed, hold and transition bind each other: 60,000 / (5 wpm) is about hold + transition
)


class BehavioralAuthNN(nn.Module):
    """Six channels of evidence to the probability that the DID's own person typed.

    6 -> 128 -> 64 -> 32 -> 1 with ReLU, dropout 0.3 and 0.2, sigmoid.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, 128),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(64, 32),
            nn.ReLU(),
            nn.Linear(32, 1),
        )

    def logits(self, channels: Tensor) -> Tensor:
        """The log odds (B,) of channels (B, 6) in nats."""
        return self.layers(channels).squeeze(-1)  # type: ignore[no-any-return]

    def forward(self, channels: Tensor) -> Tensor:
        """The probability (B,) of channels (B, 6)."""
        return torch.sigmoid(self.logits(channels))


class Autoencoder(nn.Module):
    """Standardised features (B, 6) to their reconstruction (B, 6) through a bottleneck of 3.

    Hyperbolic tangents saturate: what lies far outside of people's sessions cannot be rebuilt.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(FEATURES, 32),
            nn.Tanh(),
            nn.Linear(32, BOTTLENECK),
            nn.Linear(BOTTLENECK, 32),
            nn.Tanh(),
            nn.Linear(32, FEATURES),
        )

    def forward(self, features: Tensor) -> Tensor:
        """The reconstruction (B, 6)."""
        return self.layers(features)  # type: ignore[no-any-return]
