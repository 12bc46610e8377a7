"""Training of the autoencoder: what a human session looks like, whoever types."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ml.features import even
from ml.networks import Autoencoder
from ml.population import Population
from ml.scorer import reconstruction_error

QUANTILES = 1001
BATCH = 512
NOISE = 0.5  # deviations; sessions moved off the human manifold are pulled back to it


def fit_autoencoder(
    population: Population, numbers: NDArray[np.float64], epochs: int, seed: int
) -> Autoencoder:
    """The denoising autoencoder (float64, CPU) of genuine sessions (N, 4).

    Half of each batch is disturbed and must be rebuilt undisturbed, so that impossible sessions are rebuilt as possible
    ones and lie far from their reconstruction (Vincent et al., "Extracting and Composing Robust Features with Denoising
    Autoencoders", ICML 2008).
    """
    torch.manual_seed(seed)
    clean = torch.tensor(standardise(population, numbers), dtype=torch.float32)  # (N, 6)
    network = Autoencoder()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(clean)), BATCH):
            target = clean[batch]
            disturbed = torch.rand(len(batch), 1) < 0.5
            given = target + NOISE * torch.randn_like(target) * disturbed
            loss = torch.nn.functional.smooth_l1_loss(network(given), target)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        schedule.step()
    return network.double().eval()


def error_quantiles(
    population: Population, network: Autoencoder, numbers: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The genuine sessions' (N, 4) reconstruction errors at 1,001 even steps from the least to the greatest."""
    standard = standardise(population, numbers)
    with torch.inference_mode():
        rebuilt = network(torch.from_numpy(standard)).numpy()
    return np.quantile(reconstruction_error(standard, rebuilt), np.linspace(0, 1, QUANTILES))


def standardise(population: Population, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Even features (N, 6) in deviations from the population's mean."""
    deviation = np.sqrt(np.diag(population.total))
    return (even(numbers) - population.mean) / deviation
