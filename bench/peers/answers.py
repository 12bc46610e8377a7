"""What every peer does with a batch of requests: look up, score, word, with the service's own model and scorer."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bench.people import FEATURES, HISTORY, People
from ml.registry import load
from ml.sessions import Sessions
from scripts.part import ROOT
from worker.contract import CHANNELS

MODEL = ROOT / "models" / "production" / "model.pth"


class Answers:
    """The scorer on one thread, and every DID's history in memory: a peer has no store to ask and none to write."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        self._scorer = load(MODEL)
        self._scorer.warm_up()
        people = People()
        self._histories = people.histories  # (N, 10, 4)
        self._ages_hours = people.ages_hours  # (N, 10)
        self._number = {did: n for n, did in enumerate(people.dids)}

    def of(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """An answer for each request, in order, from one call of the scorer. Raises KeyError for an unknown DID."""
        people = [self._number[request["did"]] for request in requests]
        current = [[request["features"][name] for name in FEATURES] for request in requests]
        counts = np.full(len(requests), HISTORY)
        past, ages = self._histories[people], self._ages_hours[people]
        sessions = Sessions(np.array(current), past, counts, ages_hours=ages)
        scores = self._scorer.score(sessions)
        importance = scores.importance.round(4).tolist()
        return [
            {
                "confidence_score": confidence,
                "anomaly_score": round(anomaly, 4),
                "feature_importance": dict(zip(CHANNELS, shares, strict=True)),
                "model_version": self._scorer.model_version,
                "history_used": HISTORY,
            }
            for confidence, anomaly, shares in zip(
                scores.confidence.tolist(), scores.anomaly.tolist(), importance, strict=True
            )
        ]
