from __future__ import annotations

import numpy as np
import pytest
import torch

from ml.fitting import Fitted
from ml.model import Model


def test_a_model_is_what_its_state_says(fitted: Fitted) -> None:
    again = Model.of(fitted.model.state())
    assert again.version == fitted.model.version
    assert again.tails == fitted.model.tails
    for name in ("mean", "between", "within"):
        first, second = (getattr(model.population, name) for model in (fitted.model, again))
        assert np.array_equal(first, second)
    assert np.array_equal(again.error_quantiles, fitted.model.error_quantiles)
    channels = torch.randn(5, 6, dtype=torch.float64)
    assert torch.equal(again.network(channels), fitted.model.network(channels))
    assert torch.equal(again.autoencoder(channels), fitted.model.autoencoder(channels))


def test_a_state_with_a_part_missing_is_no_model(fitted: Fitted) -> None:
    state = fitted.model.state()
    del state["network"]["layers.0.weight"]
    with pytest.raises(RuntimeError, match=r"layers\.0\.weight"):
        Model.of(state)
