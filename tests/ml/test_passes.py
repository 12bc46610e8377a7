from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ml.blocks import BLOCK
from ml.networks import Autoencoder, BehavioralAuthNN
from ml.passes import BlockPass


def drawn(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).normal(0, 3, (rows, 6))


@pytest.mark.parametrize("network", [BehavioralAuthNN(), Autoencoder()])
@pytest.mark.parametrize("rows", [1, BLOCK, BLOCK + 1, 5 * BLOCK - 1])
@pytest.mark.parametrize("device", ["cpu", "cpu:0"])  # by NumPy, and by torch as on a GPU
def test_the_outputs_are_the_networks_own(network: nn.Module, rows: int, device: str) -> None:
    layers = network.layers
    assert isinstance(layers, nn.Sequential)
    with torch.inference_mode():
        expected = layers.eval().double()(torch.from_numpy(drawn(rows))).numpy()
    assert BlockPass(layers, device)(drawn(rows)) == pytest.approx(expected, rel=1e-12)


def test_a_row_has_the_same_bits_alone_and_in_company() -> None:
    run = BlockPass(BehavioralAuthNN().layers, "cpu")
    together = run(drawn(100))
    alone = np.concatenate([run(drawn(100)[row : row + 1]) for row in range(100)])
    assert alone.tobytes() == together.tobytes()


def test_no_rows_have_no_outputs() -> None:
    assert BlockPass(Autoencoder().layers, "cpu")(np.zeros((0, 6))).shape == (0, 6)


def test_the_network_it_was_made_of_is_left_as_it_was() -> None:
    network = BehavioralAuthNN()
    BlockPass(network.layers, "cpu")
    assert next(network.parameters()).dtype == torch.float32


def test_a_layer_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="Softmax"):
        BlockPass(nn.Sequential(nn.Softmax()), "cpu")


def test_a_probability_of_nothing_is_zero_without_a_warning() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert (
            BlockPass(nn.Sequential(nn.Linear(6, 6), nn.Sigmoid()), "cpu")(
                np.full((1, 6), -1e9)
            ).min()
            >= 0.0
        )
