"""A batch of sessions becomes a batch of scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ml.evidence import Evidence
from ml.explain import Explainer
from ml.features import even
from ml.implausible import implausible
from ml.memory import keep_freed
from ml.model import Model
from ml.passes import BlockPass
from ml.sessions import NUMBERS, Sessions
from ml.statistics import DERIVED, SHIFT

# Rows scored together: what they need stays in a core's cache, so that the cost of a row does not grow with the batch.
ROWS_AT_ONCE = {"cpu": 128}
ROWS_AT_ONCE_ELSEWHERE = 16_384


@dataclass(frozen=True)
class Scores:
    """What is said of B sessions. A row that cannot be scored has anomaly NaN, and a confidence of no meaning."""

    confidence: NDArray[np.int64]  # (B,) 0..100; 50 = no evidence either way
    anomaly: NDArray[np.float64]  # (B,) 0..1: the share of genuine sessions that are less unusual
    importance: NDArray[
        np.float64
    ]  # (B, 6) of typing speed, hold, transition, errors and the two ratios
    implausible: NDArray[np.bool_]  # (B,) impossible combination, constant or rounded timing


@dataclass(frozen=True)
class Alone:
    """What B sessions say whatever their histories are."""

    features: NDArray[np.float64]  # (B, 6), `ml.features.even`
    anomaly: NDArray[np.float64]  # (B,), as in `Scores`
    implausible: NDArray[np.bool_]  # (B,)

    def __getitem__(self, rows: slice) -> Alone:
        return Alone(self.features[rows], self.anomaly[rows], self.implausible[rows])


class Scorer:
    """One model on one device. Stateless between calls."""

    def __init__(self, model: Model, device: str = "cpu", sha256: str = "") -> None:
        self.model = model
        self.sha256 = (
            sha256  # of the file that the model came from; empty for one that came from none
        )
        self.model_version = model.version
        self.device = device
        self._evidence = Evidence(model.population, model.tails, model.rich)
        self._network = BlockPass(nn.Sequential(*model.network.layers, nn.Sigmoid()), device)
        self._autoencoder = BlockPass(model.autoencoder.layers, device)
        self._explainer = Explainer(model.network, device)
        self._rows = ROWS_AT_ONCE.get(device, ROWS_AT_ONCE_ELSEWHERE)
        self._deviation = np.sqrt(np.diag(model.population.total))  # (6,)
        self._levels = np.linspace(0.0, 1.0, len(model.error_quantiles))

    def alone(
        self, current: NDArray[np.float64], derived: NDArray[np.float64] | None = None
    ) -> Alone:
        """What can be said of sessions (B, 4), and their derived rows (B, 58), before their histories are known."""
        with np.errstate(invalid="ignore", divide="ignore"):
            features = even(current)
            return Alone(features, self._anomaly(features), implausible(current, derived))

    def score(self, sessions: Sessions, alone: Alone | None = None) -> Scores:
        """The scores of each session, in order. A row's confidence does not depend on the rest of the batch.

        A row with a number that is not finite, in the session or in its history, is told by its anomaly: NaN.
        `alone`: what `alone` says of the same sessions, where it was asked already.
        """
        if len(sessions) <= self._rows:
            return self._score(sessions, alone)
        starts = range(0, len(sessions), self._rows)
        some = [slice(start, start + self._rows) for start in starts]
        parts = [self._score(sessions[rows], alone and alone[rows]) for rows in some]
        return Scores(
            confidence=np.concatenate([part.confidence for part in parts]),
            anomaly=np.concatenate([part.anomaly for part in parts]),
            importance=np.concatenate([part.importance for part in parts]),
            implausible=np.concatenate([part.implausible for part in parts]),
        )

    def _score(self, sessions: Sessions, alone: Alone | None) -> Scores:
        if alone is None:
            alone = self.alone(sessions.current, sessions.derived)
        with np.errstate(invalid="ignore", divide="ignore"):  # such rows are looked for below
            channels = self._evidence.channels(sessions, alone.features)  # (B, 6)
            probability = self._probability(channels)  # (B,)
        sound = sessions.finite() & np.isfinite(probability)  # (B,)
        return Scores(
            confidence=np.floor(np.where(sound, probability, 0.0) * 100.0 + 0.5).astype(np.int64),
            anomaly=np.where(sound, alone.anomaly, np.nan),
            importance=self._explainer.importance(channels),
            implausible=alone.implausible,
        )

    def probability(self, sessions: Sessions) -> NDArray[np.float64]:
        """The probability (B,) that the DID's own person typed, before it becomes an integer."""
        return self._probability(self._evidence.channels(sessions))

    def anomaly(self, current: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unlike a human's session each of (B, 4) is: the quantile (B,) of its reconstruction error."""
        return self._anomaly(even(current))

    def _anomaly(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        standard = (features - self.model.population.mean) / self._deviation  # (B, 6)
        rebuilt = self._autoencoder(standard)  # (B, 6)
        error = reconstruction_error(standard, rebuilt)
        return np.interp(error, self.model.error_quantiles, self._levels)

    def warm_up(self) -> None:
        """Score once, with and without history, four numbers and rich, so that the first answer is as fast as the
        later ones, and let the memory that a batch needs stay with the process."""
        keep_freed()
        current = np.tile([60.0, 100.0, 100.0, 300.0 / 83.0], (64, 1))  # 3 of 83 keys
        history = np.tile(current[:, None], (1, 10, 1))
        counts = np.arange(64, dtype=np.int64) % 11
        self.score(Sessions(current, history, counts))
        derived = np.full((64, DERIVED), SHIFT)
        past = np.tile(derived[:, None], (1, 10, 1))
        self.score(Sessions(current, history, counts, derived, past))
        self.score(Sessions(current, np.zeros((64, 0, NUMBERS)), np.zeros(64, dtype=np.int64)))

    def _probability(self, channels: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._network(channels)[:, 0])


def reconstruction_error(
    standard: NDArray[np.float64], rebuilt: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The logarithm (B,) of the squared distance between (B, 6) and its reconstruction (B, 6)."""
    return np.log(np.square(standard - rebuilt).sum(axis=1) + 1e-12)  # type: ignore[no-any-return]
