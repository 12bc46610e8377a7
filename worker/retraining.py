"""Retraining: from the recorded histories to a promoted model, or to the reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from redis import Redis
from redis.exceptions import LockError

from ml import registry
from ml.dataset import SessionTable
from ml.retraining import propose
from ml.scorer import Scorer
from worker.history import History
from worker.promotion import Promotions
from worker.records import Pattern
from worker.redis_client import open_redis
from worker.settings import WorkerSettings

LOCK_KEY = "biometrics:retraining"
SCAN_SECONDS = 5.0


class Retraining:
    """One run: collect, propose, and promote what is not worse than the promoted and the shipped model.

    Two runs never work at the same time.
    """

    def __init__(
        self,
        history: History,
        promotions: Promotions,
        model_path: Path,
        lock_server: Redis,
        *,
        lock_seconds: int,
        minimum_users: int,
        device: str,
    ) -> None:
        self._history = history
        self._promotions = promotions
        self._model_path = model_path
        self._lock = lock_server.lock(LOCK_KEY, timeout=lock_seconds, blocking=False)
        self._minimum_users = minimum_users
        self._device = device

    @classmethod
    def of(cls, settings: WorkerSettings, device: str) -> Retraining:
        """A run as the settings describe it."""
        history_server = open_redis(settings.history_url, command_seconds=SCAN_SECONDS)
        return cls(
            History(history_server, settings.history_length, settings.history_days),
            Promotions(settings.model_directory),
            settings.model_path,
            open_redis(settings.result_url, command_seconds=SCAN_SECONDS),
            lock_seconds=settings.retrain_seconds + 60,
            minimum_users=settings.retrain_minimum_users,
            device=device,
        )

    def run(self) -> dict[str, Any]:
        """What was done: `promoted`, `version`, `why`, and both models' figures on held-out users."""
        if not self._lock.acquire():
            return {"promoted": False, "why": "another retraining is running"}
        try:
            return self._run()
        finally:
            try:
                self._lock.release()
            except LockError:
                structlog.get_logger().warning("retraining_lock_lost")

    def _run(self) -> dict[str, Any]:
        own = table(self._history.everyone())
        users = len(np.unique(own.user))
        if users < self._minimum_users:
            why = f"{users} users have a history, {self._minimum_users} are needed"
            return {"promoted": False, "why": why}
        shipped = registry.load(self._model_path, self._device)
        promoted = self._promoted()
        current = promoted or shipped
        version = self._promotions.next_version(current.model_version)
        proposal = propose(own, current, version=version, floor=shipped if promoted else None)
        if proposal.promote:
            registry.save(proposal.model, self._promotions.path(version), proposal.manifest)
            self._promotions.promote(version)
        structlog.get_logger().info(
            "retrained", promoted=proposal.promote, version=version, why=proposal.why
        )
        return {
            "promoted": proposal.promote,
            "version": version if proposal.promote else current.model_version,
            "why": proposal.why,
            "candidate": proposal.candidate_figures,
            "current": proposal.current_figures,
            "shipped": proposal.floor_figures or proposal.current_figures,
        }

    def _promoted(self) -> Scorer | None:
        """The promoted model; None where there is none or, as for the scoring workers, none that can be used."""
        path = self._promotions.current()
        if path is None:
            return None
        try:
            return registry.load(path, self._device)
        except registry.ModelError as error:
            structlog.get_logger().error("promoted_model_refused", error=str(error))
            return None


def table(histories: Iterable[tuple[str, list[Pattern]]]) -> SessionTable:
    """All recorded sessions, oldest first within a user, of histories (hash of the DID, patterns newest first)."""
    users: list[int] = []
    seconds: list[int] = []
    features: list[tuple[float, float, float, float]] = []
    for did_hash, patterns in histories:
        for pattern in reversed(patterns):
            users.append(user_number(did_hash))
            seconds.append(pattern.unix_seconds)
            features.append(pattern.features)
    return SessionTable(
        np.array(users, dtype=np.int64),
        np.array(seconds, dtype=np.int64),
        np.array(features, dtype=np.float64).reshape(-1, 4),
    )


def user_number(did_hash: str) -> int:
    """The number (63 bits) of a DID's hash: the same in every run, so that who is held out stays held out."""
    digest = hashlib.blake2b(did_hash.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
