from __future__ import annotations

import numpy as np
import pytest
import torch

from ml import training
from ml.evidence import Evidence
from ml.fitting import comparisons
from ml.samples import Samples
from ml.training import (
    DeviceMissingError,
    Settings,
    fit_network,
    in_chunks,
    jitter,
    require_device,
)
from ml.trials import Trials
from tests.ml.any_sessions import any_sessions


@pytest.fixture(scope="module")
def trials(samples: Samples) -> Trials:
    return comparisons(samples, np.random.default_rng(0))


def loss_of(network: torch.nn.Module, evidence: Evidence, trials: Trials) -> float:
    with torch.inference_mode():
        probability = network(torch.from_numpy(in_chunks(evidence, trials.sessions)))
    truth = torch.from_numpy(trials.genuine).double()
    return float(torch.nn.functional.binary_cross_entropy(probability, truth))


def test_training_twice_gives_the_same_bits(evidence: Evidence, trials: Trials) -> None:
    small = trials.rows(np.arange(600))
    first, second = (
        fit_network(evidence, small, small, Settings(epochs=2, seed=3), lambda *_: None)
        for _ in range(2)
    )
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_another_seed_gives_another_network(evidence: Evidence, trials: Trials) -> None:
    small = trials.rows(np.arange(300))
    first, second = (
        fit_network(evidence, small, small, Settings(epochs=1, seed=seed), lambda *_: None)
        for seed in (1, 2)
    )
    assert not torch.equal(next(first.parameters()), next(second.parameters()))


def test_training_learns_to_tell_people_apart(evidence: Evidence, trials: Trials) -> None:
    network = fit_network(evidence, trials, trials, Settings(epochs=3), lambda *_: None)
    assert loss_of(network, evidence, trials) < 0.45  # a coin has 0.69


def test_sessions_without_history_in_every_batch_draw_zero_evidence_to_even_odds(
    evidence: Evidence, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    lopsided = trials.rows(trials.genuine | (evidence.joint(trials.sessions) < -2.0))
    away = []
    for weight in (0.0, 1.0):
        monkeypatch.setattr(training, "UNKNOWN_WEIGHT", weight)
        network = fit_network(evidence, lopsided, lopsided, Settings(epochs=4), lambda *_: None)
        with torch.inference_mode():
            nothing = network(torch.zeros(1, 6, dtype=torch.float64))
        away.append(abs(float(nothing) - 0.5))
    assert away[1] < away[0] / 2


def test_the_best_epoch_is_kept_and_training_stops_early(
    evidence: Evidence, trials: Trials
) -> None:
    losses: list[float] = []
    upside_down = Trials(trials.sessions, ~trials.genuine, trials.user)
    settings = Settings(epochs=30, patience=2)
    fit_network(evidence, trials, upside_down, settings, lambda _e, _n, loss: losses.append(loss))
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + settings.patience
    assert len(losses) < 30


def test_progress_is_told_after_every_epoch(evidence: Evidence, trials: Trials) -> None:
    told: list[tuple[int, int]] = []
    small = trials.rows(np.arange(300))
    fit_network(evidence, small, small, Settings(epochs=3), lambda e, n, _loss: told.append((e, n)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_jitter_moves_sessions_a_little_and_leaves_histories_alone() -> None:
    sessions = any_sessions(500, 3, np.random.default_rng(0))
    moved = jitter(sessions, np.random.default_rng(1))
    away = np.abs(moved.current - sessions.current)
    assert (away > 0).any(axis=1).all()
    assert (away <= 0.1 * np.abs(sessions.current) + 2.0).all()
    assert np.array_equal(moved.current[:, 3], sessions.current[:, 3])  # counted, not timed
    assert moved.history is sessions.history
    assert (moved.current[:, [0, 1, 3]] >= 0).all()


def test_mixed_precision_trains_on_the_cpu_too(evidence: Evidence, trials: Trials) -> None:
    small = trials.rows(np.arange(1_000))
    settings = Settings(epochs=3, mixed_precision=True)
    network = fit_network(evidence, small, small, settings, lambda *_: None)
    assert loss_of(network, evidence, small) < 0.6
    assert next(network.parameters()).dtype == torch.float64


def test_many_sessions_in_chunks_have_the_same_channels(evidence: Evidence) -> None:
    sessions = any_sessions(25, 5, np.random.default_rng(2))
    assert np.array_equal(in_chunks(evidence, sessions, size=7), evidence.channels(sessions))


def test_half_precision_is_bfloat16_which_needs_no_gradient_scaler(
    evidence: Evidence, trials: Trials
) -> None:
    seen: list[torch.dtype] = []

    def note(_module: object, _given: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            seen.append(output.dtype)

    small = trials.rows(np.arange(300))
    with torch.nn.modules.module.register_module_forward_hook(note):
        fit_network(
            evidence, small, small, Settings(epochs=1, mixed_precision=True), lambda *_: None
        )
    assert torch.bfloat16 in seen
    assert torch.float16 not in seen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("patience", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
    ],
)
def test_numbers_that_would_train_nothing_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be"):
        Settings(**{name: value})  # type: ignore[arg-type]


def test_a_training_that_diverges_gives_no_model(evidence: Evidence, trials: Trials) -> None:
    small = trials.rows(np.arange(300))
    wild = Settings(epochs=3, learning_rate=1e30)
    with pytest.raises(ValueError, match="not finite; help: a lower learning rate"):
        fit_network(evidence, small, small, wild, lambda *_: None)


@pytest.mark.parametrize("device", ["banana", "cuda:", "cuda:x", "CPU", ""])
def test_what_is_no_device_is_named(device: str) -> None:
    with pytest.raises(DeviceMissingError, match=f"no device '{device}'; help: cpu, cuda"):
        require_device(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_named_with_the_remedy() -> None:
    with pytest.raises(DeviceMissingError, match="no device 'cuda:1' here; help: leave --device"):
        require_device("cuda:1")
    require_device("cpu")
