"""What happens when an answer has left: histories, service-wide figures, metrics. No failure here costs a score."""

from __future__ import annotations

import structlog

from worker.history import History, HistoryUnavailableError
from worker.kept_connection import Asked
from worker.metrics import WorkerMetrics
from worker.outcome import Outcome
from worker.totals import Totals


class Aftermath:
    """Of one outcome after the other, each after its answer was published: `write`, then `finish`."""

    def __init__(self, history: History, totals: Totals, metrics: WorkerMetrics) -> None:
        self._history = history
        self._totals = totals
        self._metrics = metrics
        self._asked: Asked | None = None

    def write(self, outcome: Outcome) -> None:
        """Have its patterns entered, and wait for nothing."""
        self._asked = self._history.enter(outcome.entries) if outcome.entries else None

    def finish(self, outcome: Outcome) -> None:
        """Count, and see what came of the write. One that failed is counted and logged, never raised."""
        self._count(outcome)
        if outcome.scored:
            self._totals.add(outcome)
        self._confirm(outcome)

    def _confirm(self, outcome: Outcome) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        try:
            entered = self._history.entered_of(asked)
        except HistoryUnavailableError as error:
            self._metrics.lost_records.inc(len(outcome.entries))
            structlog.get_logger().error("records_lost", error=repr(error.__cause__))
            return
        self._metrics.recorded.inc(entered)

    def _count(self, outcome: Outcome) -> None:
        metrics, scored = self._metrics, outcome.scored
        metrics.rows.observe(len(outcome.worded.rows))
        metrics.queue_wait.observe(outcome.reply["queue_seconds"])
        if scored:
            metrics.predictions.inc(scored)
            metrics.inference.observe(outcome.worded.inference_ms / 1000)
        if outcome.anomalies:
            metrics.anomalies.inc(outcome.anomalies)
        for decision, many in outcome.worded.decisions().items():
            metrics.by_decision[decision].inc(many)
        for reason, many in outcome.worded.told().items():
            metrics.by_reason[reason].inc(many)
        for code, many in outcome.errors.items():
            metrics.errors.labels(code).inc(many)
