"""Training: synthetic or an operator's people in, a calibrated model out. Deterministic for a seed on one machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.evidence import Evidence
from ml.lessons import Lessons
from ml.networks import BehavioralAuthNN
from ml.sessions import Sessions
from ml.trials import Trials

UNKNOWN = 32  # sessions without history in every batch
UNKNOWN_WEIGHT = 0.25  # of their loss beside that of the comparisons

Progress = Callable[[int, int, float], None]  # epoch, epochs, validation loss


class DeviceMissingError(Exception):
    """Raised when a model shall be trained on a device that this machine does not have."""


@dataclass(frozen=True)
class Settings:
    """How the network is trained. Raises ValueError for numbers that would train nothing."""

    epochs: int = 100
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    label_smoothing: float = 0.005  # 0.02 costs 0.3 points of calibration error
    patience: int = 6  # epochs without a better validation loss before it stops
    device: str = "cpu"
    mixed_precision: bool = False  # forward passes in bfloat16, see `_epoch`
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"learning_rate must be a positive number, not {self.learning_rate}")


def fit_network(
    evidence: Evidence,
    fitted: Trials,
    validated: Trials,
    settings: Settings,
    progress: Progress,
    rich: tuple[Lessons, Lessons] | None = None,
) -> BehavioralAuthNN:
    """The network, in float64 on the CPU, that best told the `validated` people's comparisons apart.

    `rich` holds rich comparisons of the fitted and of the validated people; it learns and is judged by both kinds.
    `progress` is called after every epoch. Raises ValueError when no epoch has a finite validation loss.
    """
    require_device(settings.device)
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    network = BehavioralAuthNN().to(settings.device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    learned, judged = rich or (None, None)
    seen = _tensors(evidence, validated, judged, settings.device)
    best, best_loss, waited = _copy(network), float("inf"), 0
    for epoch in range(1, settings.epochs + 1):
        jittered = Trials(jitter(fitted.sessions, rng), fitted.genuine, fitted.user)
        lessons = _tensors(evidence, jittered, learned, settings.device)
        _epoch(network, optimizer, lessons, settings, rng)
        loss = _loss(network, *seen)
        schedule.step(loss)
        progress(epoch, settings.epochs, loss)
        if loss < best_loss:
            best, best_loss, waited = _copy(network), loss, 0
        elif (waited := waited + 1) >= settings.patience:
            break
    if not np.isfinite(best_loss):
        raise ValueError("the validation loss is not finite; help: a lower learning rate")
    network.load_state_dict(best)
    return network.cpu().double().eval()


def require_device(device: str) -> None:
    """Raises DeviceMissingError where `device` (cpu, cuda, cuda:1) is not to be had."""
    name = re.fullmatch(r"cpu|cuda(?::(\d+))?", device)
    if name is None:
        raise DeviceMissingError(f"no device {device!r}; help: cpu, cuda, or cuda:1 and so on")
    if device != "cpu" and int(name[1] or 0) >= torch.cuda.device_count():
        raise DeviceMissingError(
            f"no device {device!r} here; help: leave --device out to use the CPU, or install PyTorch's CUDA "
            "build, see README, GPU"
        )


def jitter(sessions: Sessions, rng: np.random.Generator) -> Sessions:
    """The same sessions measured by a slightly other clock and keyboard: augmentation.

    Each session's times move by a common 1 % and each number by another 1 % (perturbation), holds and transitions by
    up to 2 ms (temporal jitter: browsers' clocks are coarse). Error rates stay: they are counted, not timed.
    """

    def moved(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        factor = rng.normal(1.0, 0.01, numbers.shape) * rng.normal(
            1.0, 0.01, (*numbers.shape[:-1], 1)
        )
        result = numbers * factor
        result[..., 1:3] += rng.uniform(-2.0, 2.0, (*numbers.shape[:-1], 2))
        result[..., 3] = numbers[..., 3]
        return np.maximum(result, [0.0, 0.0, -1_000.0, 0.0])

    return Sessions(moved(sessions.current), sessions.history, sessions.counts)


def _tensors(
    evidence: Evidence, trials: Trials, rich: Lessons | None, device: str
) -> tuple[Tensor, Tensor]:
    channels, genuine = in_chunks(evidence, trials.sessions), trials.genuine
    if rich is not None:
        channels = np.concatenate([channels, rich.channels])
        genuine = np.concatenate([genuine, rich.genuine])
    return (
        torch.tensor(channels, dtype=torch.float32, device=device),  # (N, 6)
        torch.tensor(genuine, dtype=torch.float32, device=device),  # (N,)
    )


def in_chunks(evidence: Evidence, sessions: Sessions, size: int = 4096) -> NDArray[np.float64]:
    """The channels (N, 6) of many sessions in bounded memory."""
    chunks = [evidence.channels(sessions[i : i + size]) for i in _steps(len(sessions), size)]
    return np.concatenate(chunks)


def _steps(count: int, size: int) -> range:
    return range(0, max(count, 1), size)


def _epoch(
    network: BehavioralAuthNN,
    optimizer: torch.optim.Optimizer,
    data: tuple[Tensor, Tensor],
    settings: Settings,
    rng: np.random.Generator,
) -> None:
    """One pass over the data. In mixed precision the forward passes run in bfloat16, whose exponents are float32's:
    no gradient falls to zero as in float16, so no gradient scaler is needed.

    Every batch also holds sessions without history, whose evidence is zero, at even odds. Without them the network puts
    zero evidence at -0.4, and the shift that mends it would move every score: calibration error 2.8 instead of 0.9.
    """
    network.train()
    channels, genuine = data
    target = genuine * (1 - settings.label_smoothing) + settings.label_smoothing / 2
    even_odds = (1 - genuine).sum() / genuine.sum()  # both sides weigh alike
    kind = settings.device.split(":")[0]
    order = torch.tensor(rng.permutation(len(genuine)), device=settings.device)
    nothing = torch.zeros(UNKNOWN, channels.shape[1], device=settings.device)
    even = torch.full((UNKNOWN,), 0.5, device=settings.device)
    for batch in torch.split(order, settings.batch_size):
        with torch.autocast(kind, torch.bfloat16, enabled=settings.mixed_precision):
            logits = network.logits(torch.cat([channels[batch], nothing])).float()
        loss = nn.functional.binary_cross_entropy_with_logits(
            logits[:-UNKNOWN], target[batch], pos_weight=even_odds
        )
        loss = loss + UNKNOWN_WEIGHT * nn.functional.binary_cross_entropy_with_logits(
            logits[-UNKNOWN:], even
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _loss(network: BehavioralAuthNN, channels: Tensor, genuine: Tensor) -> float:
    network.eval()
    with torch.inference_mode():
        logits = network.logits(channels)
        even_odds = (1 - genuine).sum() / genuine.sum()
        return float(
            nn.functional.binary_cross_entropy_with_logits(logits, genuine, pos_weight=even_odds)
        )


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
