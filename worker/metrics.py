"""What a worker shows Prometheus, on a port of its own; one registry per process."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from worker.contract import Decision, Reason
from worker.jobs.ended import Ended

LATENCY_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
ROWS_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class WorkerMetrics:
    """Every figure of one worker process; names by Prometheus' conventions."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        own: dict[str, Any] = {
            "registry": self.registry,
            "namespace": "biometrics",
            "subsystem": "worker",
        }
        self.predictions = Counter("predictions", "Patterns scored", **own)
        self.errors = Counter("row_errors", "Patterns answered with an error", ["code"], **own)
        self.anomalies = Counter("anomalies", "Patterns flagged as anomalous", **own)
        self.decisions = Counter("decisions", "Patterns by decision", ["decision"], **own)
        self.reasons = Counter(
            "reasons", "Patterns by what is said beside the score", ["reason"], **own
        )
        self.recorded = Counter("recorded", "Patterns entered in a history", **own)
        self.lost_records = Counter(
            "record_failures",
            "Patterns whose entry in a history failed; the score was given",
            **own,
        )
        self.lost_totals = Counter(
            "totals_failures", "Messages missing in the service-wide figures", **own
        )
        self.job_patterns = Counter(
            "job_patterns", "Patterns of bulk jobs by what came of them", ["outcome"], **own
        )
        self.queue_wait = Histogram(
            "queue_wait_seconds", "From sending to receipt", buckets=LATENCY_BUCKETS, **own
        )
        self.inference = Histogram(
            "inference_seconds", "Scoring of one message", buckets=LATENCY_BUCKETS, **own
        )
        self.rows = Histogram("message_rows", "Patterns per message", buckets=ROWS_BUCKETS, **own)
        self.by_decision = {str(each): self.decisions.labels(each) for each in Decision}
        said = set(Reason) - {Reason.DID_ABBREVIATED}  # which the front end alone knows
        self.by_reason = {str(each): self.reasons.labels(each) for each in said}
        self.model = Gauge("model_info", "1 for the model in use", ["version", "device"], **own)
        self.gpu_busy = Gauge("gpu_utilization_ratio", "Share of time the GPU was busy", **own)
        self.gpu_memory = Gauge("gpu_memory_used_bytes", "Memory in use on the GPU", **own)

    def serve(self, host: str, port: int) -> None:
        """Answer Prometheus on `host`:`port` from a thread of its own. Raises OSError when the port is taken."""
        start_http_server(port, addr=host, registry=self.registry)

    def show_model(self, version: str, device: str) -> None:
        """Make `version` the only model shown."""
        self.model.clear()
        self.model.labels(version, device).set(1)

    def observe_chunk(self, ended: Ended) -> None:
        """Count a chunk's patterns."""
        self.job_patterns.labels("scored").inc(ended.scored)
        self.job_patterns.labels("failed").inc(ended.failed)
