"""All that a model consists of: constants of the population, two networks, and the scale of the anomaly score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ml.evidence import Tails
from ml.networks import Autoencoder, BehavioralAuthNN
from ml.operating import OperatingPoint
from ml.population import Population
from ml.rich_population import RichPopulation


@dataclass(frozen=True)
class Model:
    """A trained model. `error_quantiles` (Q,) are genuine sessions' reconstruction errors at even steps of 0..1;
    below the confidence `reject_below` a session is more than doubtful."""

    version: str
    population: Population
    tails: Tails
    network: BehavioralAuthNN
    autoencoder: Autoencoder
    error_quantiles: NDArray[np.float64]
    operating_points: dict[str, OperatingPoint]
    reject_below: int
    rich: RichPopulation | None = None  # without it, derived statistics are not used

    def state(self) -> dict[str, Any]:
        """Everything as tensors, numbers and names, fit for a weights-only file."""
        return {
            "version": self.version,
            "mean": torch.from_numpy(self.population.mean),
            "between": torch.from_numpy(self.population.between),
            "within": torch.from_numpy(self.population.within),
            "freedom": self.tails.freedom,
            "prior_sessions": self.tails.prior_sessions,
            "network": self.network.state_dict(),
            "autoencoder": self.autoencoder.state_dict(),
            "error_quantiles": torch.from_numpy(self.error_quantiles),
            "operating_points": {
                name: point.entry() for name, point in self.operating_points.items()
            },
            "reject_below": self.reject_below,
            "rich": self.rich and _tensors(self.rich),
        }

    @classmethod
    def of(cls, state: dict[str, Any]) -> Model:
        """The model that `state` describes. Raises KeyError or RuntimeError when something is missing or misshapen."""
        network, autoencoder = BehavioralAuthNN().double().eval(), Autoencoder().double().eval()
        network.load_state_dict(state["network"])
        autoencoder.load_state_dict(state["autoencoder"])
        population = Population(*(state[name].numpy() for name in ("mean", "between", "within")))
        figures = state.get("rich")
        rich = figures and RichPopulation(**{name: each.numpy() for name, each in figures.items()})
        return cls(
            state["version"],
            population,
            Tails(state["freedom"], state["prior_sessions"]),
            network,
            autoencoder,
            state["error_quantiles"].numpy(),
            {name: OperatingPoint.of(each) for name, each in state["operating_points"].items()},
            state["reject_below"],
            rich,
        )


def _tensors(rich: RichPopulation) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(figure) for name, figure in rich.state().items()}
