"""How many of the service's answers entered a history, from its worker's own counters."""

from __future__ import annotations

import urllib.request
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from bench.contestant import Contestant
from bench.samples import Notebook

SCORED: Final = "predictions_total"
ENTERED: Final = "recorded_total"


class Recorded:
    """Counts from its making to `note`; of a contestant without a worker's metrics, nothing."""

    def __init__(self, contestant: Contestant) -> None:
        ports = [part.environment.get("WORKER_METRICS_PORT") for part in contestant.parts]
        self._name = contestant.name
        # An in-process model has the setting too, and nobody who listens.
        self._port = ports[0] if len(ports) > 1 else None
        self._before = self._now()

    def note(self, notes: Notebook) -> None:
        """Take down the share of the answers that entered. Raises OSError."""
        if not self._port:
            return
        scored, entered = (
            after - before for after, before in zip(self._now(), self._before, strict=True)
        )
        if scored:
            notes.add(f"recorded_share/{self._name}", entered / scored)

    def _now(self) -> tuple[float, float]:
        if not self._port:
            return 0.0, 0.0
        url = f"http://127.0.0.1:{self._port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:  # our own process
            return counted(answer.read().decode())


def counted(exposition: str) -> tuple[float, float]:
    """Patterns scored and entered, in Prometheus' text. Raises KeyError without them."""
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }
    scored, entered = (
        next((value for name, value in values.items() if name.endswith(end)), None)
        for end in (SCORED, ENTERED)
    )
    if scored is None or entered is None:
        raise KeyError(f"the worker's metrics have no {SCORED} or {ENTERED}")
    return scored, entered
