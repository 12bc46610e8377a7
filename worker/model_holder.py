"""Holds the model of this process; a newer one is verified and warmed up beside it, then swapped in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from ml.registry import ModelError, load
from ml.scorer import Scorer
from worker.promotion import Promotions

WATCH_SECONDS = 1.0

Observer = Callable[[Scorer], None]


class ModelHolder:
    """The promoted model if there is one, else the one at `model_path`.

    `current` never waits: loading happens in the watching thread and ends with one assignment.
    """

    def __init__(
        self, model_path: Path, promotions: Promotions, device: str, on_change: Observer
    ) -> None:
        self._model_path = model_path
        self._promotions = promotions
        self._device = device
        self._on_change = on_change
        self._scorer: Scorer | None = None
        self._tried: Path | None = None
        self._stop = threading.Event()

    def start(self) -> Scorer:
        """Load, warm up, begin to watch. Raises ModelError when the model's file is missing or not what it claims."""
        scorer = self._take(self._promotions.current() or self._model_path)
        threading.Thread(target=self._watch, name="model-watch", daemon=True).start()
        return scorer

    def stop(self) -> None:
        """End the watching thread."""
        self._stop.set()

    def current(self) -> Scorer:
        """The model to score with now. Raises ModelError before `start`."""
        if self._scorer is None:
            raise ModelError("no model is loaded; help: call start() first")
        return self._scorer

    def refresh(self) -> bool:
        """Take the promoted model if it changed; a bad one is refused and the present one stays. True after a swap."""
        promoted = self._promotions.current()
        if promoted is None or promoted == self._tried:
            return False
        try:
            self._take(promoted)
        except ModelError as error:
            structlog.get_logger().error("model_refused", path=str(promoted), error=str(error))
            return False
        return True

    def _take(self, path: Path) -> Scorer:
        self._tried = path
        scorer = load(path, self._device)
        scorer.warm_up()
        self._scorer = scorer
        self._on_change(scorer)
        structlog.get_logger().info(
            "model_loaded", path=str(path), version=scorer.model_version, device=scorer.device
        )
        return scorer

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_SECONDS):
            self.refresh()
