"""What happens when an answer has left: histories, service-wide figures, metrics. No failure here costs a score."""

from __future__ import annotations

import structlog

from worker.history import History, HistoryUnavailableError
from worker.metrics import WorkerMetrics
from worker.outcome import Outcome
from worker.totals import Totals


class Aftermath:
    """Called with each outcome after its answer was published."""

    def __init__(self, history: History, totals: Totals, metrics: WorkerMetrics) -> None:
        self._history = history
        self._totals = totals
        self._metrics = metrics

    def __call__(self, outcome: Outcome) -> None:
        """Write and count. A failed write is counted and logged, never raised."""
        self._count(outcome)
        self._record(outcome)
        if outcome.answers:
            self._totals.add(outcome)

    def _record(self, outcome: Outcome) -> None:
        if not outcome.entries:
            return
        try:
            entered = self._history.append(outcome.entries)
        except HistoryUnavailableError as error:
            self._metrics.lost_records.inc(len(outcome.entries))
            structlog.get_logger().error("records_lost", error=repr(error.__cause__))
            return
        self._metrics.recorded.inc(entered)

    def _count(self, outcome: Outcome) -> None:
        metrics, answers, errors = self._metrics, outcome.answers, outcome.errors
        metrics.rows.observe(len(answers) + len(errors))
        metrics.queue_wait.observe(outcome.reply["queue_seconds"])
        if answers:
            metrics.predictions.inc(len(answers))
            metrics.inference.observe(outcome.inference_ms / 1000)
        if outcome.anomalies:
            metrics.anomalies.inc(outcome.anomalies)
        for decision, many in outcome.decisions.items():
            metrics.by_decision[decision].inc(many)
        for reason, many in outcome.reasons.items():
            metrics.by_reason[reason].inc(many)
        for row in errors:
            metrics.errors.labels(row["error"]).inc()
