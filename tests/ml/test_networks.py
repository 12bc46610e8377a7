from __future__ import annotations

import torch
from torch import nn

from ml.networks import Autoencoder, BehavioralAuthNN


def test_the_network_has_the_documented_layers() -> None:
    kinds = [
        (layer.in_features, layer.out_features)
        if isinstance(layer, nn.Linear)
        else layer.p
        if isinstance(layer, nn.Dropout)
        else type(layer)
        for layer in BehavioralAuthNN().layers
    ]
    assert kinds == [(6, 128), nn.ReLU, 0.3, (128, 64), nn.ReLU, 0.2, (64, 32), nn.ReLU, (32, 1)]


def test_the_output_is_the_sigmoid_of_the_logits() -> None:
    network = BehavioralAuthNN().eval()
    channels = torch.randn(7, 6)
    assert torch.equal(network(channels), torch.sigmoid(network.logits(channels)))
    assert network(channels).shape == (7,)


def test_dropout_works_in_training_only() -> None:
    torch.manual_seed(0)
    network, channels = BehavioralAuthNN(), torch.randn(50, 6)
    assert not torch.equal(network(channels), network(channels))
    network.eval()
    assert torch.equal(network(channels), network(channels))


def test_the_autoencoder_gives_six_features_back() -> None:
    assert Autoencoder()(torch.randn(9, 6)).shape == (9, 6)
