from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.explain import BLOCK, Explainer
from ml.networks import BehavioralAuthNN


@pytest.fixture(scope="module")
def network() -> BehavioralAuthNN:
    torch.manual_seed(4)
    return BehavioralAuthNN().double().eval()


@pytest.fixture(scope="module", params=["cpu", "cpu:0"])
def explainer(network: BehavioralAuthNN, request: pytest.FixtureRequest) -> Explainer:
    """By NumPy as on the CPU, and by torch as on a GPU: "cpu:0" is the CPU's other name."""
    return Explainer(network, request.param)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_values_are_the_mean_gain_over_all_orders(
    network: BehavioralAuthNN, explainer: Explainer, seed: int
) -> None:
    channels = np.random.default_rng(seed).normal(0, 3, 6)
    orders = np.array(list(permutations(range(6))))  # (720, 6)
    given = np.zeros((len(orders), 7, 6))
    for step in range(6):
        given[:, step + 1] = given[:, step]
        given[np.arange(len(orders)), step + 1, orders[:, step]] = channels[orders[:, step]]
    with torch.inference_mode():
        gain = np.diff(network(torch.from_numpy(given.reshape(-1, 6))).numpy().reshape(-1, 7))
    expected = [gain[orders == feature].mean() for feature in range(6)]
    assert explainer.values(channels[None])[0].tolist() == pytest.approx(expected, abs=1e-5)


def test_the_values_sum_to_what_moved_the_probability(
    network: BehavioralAuthNN, explainer: Explainer
) -> None:
    channels = np.random.default_rng(0).normal(0, 3, (BLOCK * 2 + 3, 6))
    with torch.inference_mode():
        moved = network(torch.from_numpy(channels)) - network(torch.zeros(1, 6).double())
    assert explainer.values(channels).sum(axis=1) == pytest.approx(moved.numpy(), abs=1e-5)


def test_importances_are_shares(explainer: Explainer) -> None:
    found = explainer.importance(np.random.default_rng(1).normal(0, 3, (40, 6)))
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(40))


def test_where_nothing_moved_the_score_every_channel_has_a_sixth(explainer: Explainer) -> None:
    assert explainer.importance(np.zeros((2, 6))).tolist() == [[1 / 6] * 6] * 2


def test_a_channel_without_evidence_moved_nothing(explainer: Explainer) -> None:
    channels = np.array([[2.0, 0.0, -1.0, 0.0, 0.0, 1.0]])
    assert explainer.importance(channels)[0, [1, 3, 4]].tolist() == pytest.approx([0] * 3, abs=1e-4)


def test_no_rows_have_no_explanation(explainer: Explainer) -> None:
    assert explainer.importance(np.zeros((0, 6))).shape == (0, 6)


def test_a_hopeless_score_is_explained_without_a_warning(explainer: Explainer) -> None:
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(explainer.values(np.full((1, 6), -1e4))).all()


def test_the_network_is_left_as_it_was() -> None:
    network = BehavioralAuthNN()
    Explainer(network, "cpu")
    assert next(network.parameters()).dtype == torch.float32
