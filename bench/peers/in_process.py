"""The service's own FastAPI application with the model in its process: no queue, no worker, nothing joined.

Validation, rate limits, metrics, histories in Redis and their growth are as in the service.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import torch
import uvicorn

from api.app import create_app
from api.line import Tell
from api.protocol import Protocol
from bench.peers.answers import MODEL
from ml.registry import load, manifest
from worker.contract import WIRE_VERSION, Answer, ProbeAnswer, RowError
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import History
from worker.redis_client import open_redis
from worker.scoring import ScoringCore
from worker.settings import WorkerSettings


class InProcess:
    """Scores on the event loop: a thread would only wait for the same interpreter, and costs a hand-over."""

    def __init__(self, settings: WorkerSettings) -> None:
        torch.set_num_threads(1)
        scorer = load(MODEL)
        scorer.warm_up()
        held = HeldModel(
            scorer,
            int(manifest(MODEL).thresholds["equal_error"]["confidence"]),
            scorer.model.operating_points["balanced"].threshold,
        )
        self._probe = ProbeAnswer(model_version=scorer.model_version, device="cpu")
        self._history = History(
            open_redis(settings.history_url),
            settings.history_length,
            settings.history_days,
            settings.updates_per_day,
        )
        rule = EnrolmentRule(settings.update_confidence, settings.update_anomaly)
        self._core = ScoringCore(lambda: held, self._history, rule)

    async def start(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def refuse_if_crowded(self) -> None:
        """Nobody waits for a queue."""

    async def score(self, rows: list[list[Any]]) -> list[Answer | RowError]:
        """One entry for each row; the histories grow as in the worker."""
        return self._scored(rows)

    def submit(self, rows: list[list[Any]], tell: Tell) -> None:
        """The same, as soon as what has arrived is read."""
        asyncio.get_running_loop().call_soon(lambda: tell(self._scored(rows)))

    def _scored(self, rows: list[list[Any]]) -> list[Answer | RowError]:
        now = time.time()
        outcome = self._core.answer(
            {"v": WIRE_VERSION, "sent": now, "deadline": now + 1.0, "rows": rows}
        )
        if outcome.entries:  # as in the worker, the answer leaves first
            asyncio.get_running_loop().call_soon(self._history.append, outcome.entries)
        answers: list[Answer | RowError] = outcome.reply["rows"]
        return answers

    async def probe(self) -> ProbeAnswer:
        """The model of this process."""
        return self._probe

    async def queue_depth(self) -> int:
        """There is no queue."""
        return 0

    async def totals(self) -> dict[str, float]:
        """There are no workers."""
        return {}


if __name__ == "__main__":
    uvicorn.run(
        create_app(scoring=InProcess(WorkerSettings())),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http=Protocol,
        ws="none",
        proxy_headers=False,
        access_log=False,
        log_config=None,
    )
