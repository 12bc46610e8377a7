from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ml.networks import Autoencoder, BehavioralAuthNN
from ml.passes import BLOCK, BlockPass


def drawn(rows: int) -> np.ndarray:
    return np.random.default_rng(rows).normal(0, 3, (rows, 6))


@pytest.mark.parametrize("network", [BehavioralAuthNN(), Autoencoder()])
@pytest.mark.parametrize("rows", [1, BLOCK, BLOCK + 1, 5 * BLOCK - 1])
def test_the_outputs_are_the_networks_own(network: nn.Module, rows: int) -> None:
    layers = network.layers
    assert isinstance(layers, nn.Sequential)
    with torch.inference_mode():
        expected = layers.eval().double()(torch.from_numpy(drawn(rows))).numpy()
    assert BlockPass(layers, "cpu")(drawn(rows)) == pytest.approx(expected, rel=1e-12)


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
