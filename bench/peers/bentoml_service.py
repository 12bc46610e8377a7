"""BentoML: one worker process with its adaptive batching, up to 64 a batch, without a line in the log per request."""

from __future__ import annotations

from typing import Any

import bentoml

from bench.peers.answers import Answers


@bentoml.service(
    workers=1,
    traffic={"timeout": 10},
    logging={"access": {"enabled": False}},
    metrics={"enabled": False},
)
class Scoring:
    """The scorer on one thread."""

    def __init__(self) -> None:
        self._answers = Answers()

    @bentoml.api(route="/predict", batchable=True, max_batch_size=64, max_latency_ms=1000)
    def predict(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Score what the dispatcher has put together."""
        return self._answers.of(requests)
