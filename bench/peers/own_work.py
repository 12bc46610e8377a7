"""The work of the service's worker in a peer's process: histories from Redis, scoring, decisions, entries."""

from __future__ import annotations

import time
from typing import Any

import torch

from bench.peers.answers import MODEL
from ml.registry import load, manifest
from worker.contract import WIRE_VERSION
from worker.enrolment import EnrolmentRule
from worker.held_model import HeldModel
from worker.history import Entry, History
from worker.redis_client import open_redis
from worker.scoring import ScoringCore
from worker.settings import WorkerSettings
from worker.worded import Worded


class OwnWork:
    """The scoring core with the shipped model on one thread."""

    def __init__(self, settings: WorkerSettings) -> None:
        torch.set_num_threads(1)
        scorer = load(MODEL)
        scorer.warm_up()
        held = HeldModel(
            scorer,
            int(manifest(MODEL).thresholds["equal_error"]["confidence"]),
            scorer.model.operating_points["balanced"].threshold,
        )
        self.model_version = scorer.model_version
        self._history = History(
            open_redis(settings.history_url),
            settings.history_length,
            settings.history_days,
            settings.updates_per_day,
        )
        rule = EnrolmentRule(settings.update_confidence, settings.update_anomaly)
        self._core = ScoringCore(lambda: held, self._history, rule)

    def answer(self, rows: list[list[Any]]) -> tuple[Worded, list[Entry]]:
        """One answer for each row, and what is to be entered once the answers have left."""
        now = time.time()
        outcome = self._core.answer(
            {"v": WIRE_VERSION, "sent": now, "deadline": now + 1.0, "rows": rows}
        )
        return outcome.worded, outcome.entries

    def enter(self, entries: list[Entry]) -> None:
        """Write them into the histories. Raises HistoryUnavailableError."""
        self._history.append(entries)
