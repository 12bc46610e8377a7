"""Holds the model of this process; a newer one is verified and warmed up beside it, then swapped in."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from ml.registry import ModelError, load, manifest, manifest_path
from ml.scorer import Scorer
from worker.held_model import HeldModel
from worker.promotion import Promotions

WATCH_SECONDS = 1.0
# Loading takes 80 ms of the processor. A message gives the interpreter away and takes it back some twenty times, and
# waits up to 5 ms each time: beside a thread that loads at one go the longest time without an answer was 78 ms (median
# of four, two busy cores), with rests 15 ms, without a reload 13 ms. `sys.setswitchinterval(0.0005)` instead: 17 ms,
# and 117 at worst.
WORK_SECONDS = 0.0005
REST_SECONDS = 0.002

Observer = Callable[[Scorer], None]


class ModelHolder:
    """The promoted model if there is one that can be used, else the one at `model_path`.

    `current` never waits: loading happens in the watching thread and ends with one assignment.
    """

    def __init__(
        self, model_path: Path, promotions: Promotions, device: str, on_change: Observer
    ) -> None:
        self._model_path = model_path
        self._promotions = promotions
        self._device = device
        self._on_change = on_change
        self._held: HeldModel | None = None
        self._tried: tuple[Path, int, int] | None = None
        self._stop = threading.Event()
        self._complaint = ""

    def start(self) -> Scorer:
        """Load, warm up, begin to watch. Raises ModelError when neither promoted nor shipped model is of use."""
        if not self.refresh():
            self._take(self._model_path)
        threading.Thread(target=self._watch, name="model-watch", daemon=True).start()
        return self.current().scorer

    def stop(self) -> None:
        """End the watching thread."""
        self._stop.set()

    def current(self) -> HeldModel:
        """The model to score with now. Raises ModelError before `start`."""
        if self._held is None:
            raise ModelError("no model is loaded; help: call start() first")
        return self._held

    def refresh(self) -> bool:
        """Take the promoted model if it changed. True after a swap.

        Whatever is wrong with it, it is refused with a line in the log, the present model stays, and the file is
        tried again when it or its manifest has changed.
        """
        try:
            promoted = self._promotions.current()
            if promoted is None:
                return False
            wanted = (promoted, _changed_ns(promoted), _changed_ns(manifest_path(promoted)))
            if wanted == self._tried:
                return False
            self._tried = wanted
            self._take(promoted)
        except Exception as error:  # a thread that ends would never take another model
            self._complain(error)
            return False
        return True

    def _take(self, path: Path) -> None:
        scorer = load(path, self._device)
        scorer.warm_up()
        equal_error = int(manifest(path).thresholds["equal_error"]["confidence"])
        secure = scorer.model.operating_points["secure"].threshold
        self._held = HeldModel(scorer, equal_error, secure)
        self._on_change(scorer)
        structlog.get_logger().info(
            "model_loaded", path=str(path), version=scorer.model_version, device=scorer.device
        )

    def _complain(self, error: Exception) -> None:
        complaint = f"{type(error).__name__}: {error}"
        if complaint != self._complaint:
            structlog.get_logger().error("promoted_model_refused", error=complaint)
        self._complaint = complaint

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_SECONDS):
            with resting():
                self.refresh()


@contextmanager
def resting() -> Iterator[None]:
    """Have this thread sleep for REST_SECONDS after each WORK_SECONDS, at the next call or return: others work then."""
    due = time.perf_counter() + WORK_SECONDS

    def rest(*_: object) -> None:
        nonlocal due
        if time.perf_counter() >= due:
            time.sleep(REST_SECONDS)
            due = time.perf_counter() + WORK_SECONDS

    sys.setprofile(rest)  # of this thread alone
    try:
        yield
    finally:
        sys.setprofile(None)


def _changed_ns(path: Path) -> int:
    """When the file last changed; 0 for one that is missing, and may yet come."""
    return path.stat().st_mtime_ns if path.exists() else 0
