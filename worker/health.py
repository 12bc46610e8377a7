"""The health check of a worker's container."""

from __future__ import annotations

import urllib.request

from worker.settings import WorkerSettings

TIMEOUT_SECONDS = 2.0


def run(settings: WorkerSettings) -> None:
    """Return if the metrics of this container's worker answer. Raises OSError if not."""
    host = settings.worker_metrics_host.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    url = f"http://{host}:{settings.worker_metrics_port}/metrics"
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        answer.read(1)
