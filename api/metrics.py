"""What this process counts and times, under Prometheus' naming conventions.

Each `ApiMetrics` has a registry of its own. With PROMETHEUS_MULTIPROC_DIR set (several uvicorn workers behind one
port), prometheus-client keeps the values in that directory, which must be empty at the start, and
`registry_for_scrape` adds the processes up.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from api.distribution import LOT, Distribution, SettledRegistry
from api.reply import Reply
from worker.contract import MAX_ROWS_PER_MESSAGE

MULTIPROCESS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

# The online path is a matter of milliseconds; the default deadline of one second stands near the end.
_SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_INFERENCE_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, MAX_ROWS_PER_MESSAGE)
_SCORES = tuple(range(5, 101, 5))
_QUANTILES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class ApiMetrics:
    """Every metric of one front end. Attributes are prometheus-client's own objects."""

    def __init__(self) -> None:
        # A `_created` series for each counter would double what a scrape carries.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry: CollectorRegistry = SettledRegistry(self._settle)
        # The sum over processes is read from their files: there, nothing may wait in this one.
        self._lot = 1 if MULTIPROCESS_DIRECTORY in os.environ else LOT
        self._distributions: list[Distribution] = []
        self._add_requests()
        self._add_dispatch()
        self._add_answers()
        self._add_chain()
        self._requests: dict[tuple[str, str, int], Distribution] = {}

    def observe_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Counts and times one answered request."""
        times = self._requests.get((route, method, status))
        if times is None:
            times = self._requests[route, method, status] = self._distribution(
                self.request_seconds.labels(route),
                self.requests.labels(route, method, str(int(status))),
            )
        times.observe(seconds)

    def observe_answers(self, reply: Reply) -> None:
        """Takes answers without an error into the distributions of confidence, anomaly and inference time."""
        self.confidence_score.observe_all(reply.confidence)
        self.anomaly_score.observe_all(reply.anomaly)
        self.inference_seconds.observe_all([reply.inference_ms / 1000] * len(reply))
        anomalies = reply.anomalies
        if anomalies:
            self.anomalies.inc(anomalies)

    def _add_requests(self) -> None:
        self.requests = self._counter(
            "requests", "Requests answered", ("route", "method", "status")
        )
        self.request_seconds = self._histogram(
            "request_seconds", "From the request's head to its answer's end", _SECONDS, ("route",)
        )
        self.rate_limited = self._counter("rate_limited", "Requests refused with 429")
        self.rate_limit_failures = self._counter(
            "rate_limit_failures", "Requests let through because the rate limits' store failed"
        )

    def _add_dispatch(self) -> None:
        self.queue_wait_seconds = self._distribution(
            self._histogram(
                "queue_wait_seconds",
                "From a pattern's arrival at the front end to its message's receipt by a worker",
                _SECONDS,
            )
        )
        self.round_trip_seconds = self._histogram(
            "round_trip_seconds", "From a message's publication to its result", _SECONDS
        )
        self.rows_per_message = self._histogram(
            "rows_per_message", "Patterns that shared a message", _ROWS
        )
        self.messages_sent = self._counter("messages_sent", "Messages put on the online queue")
        self.publish_failures = self._counter(
            "publish_failures", "Messages that could not be put on the online queue"
        )
        self.timeouts = self._counter("timeouts", "Requests whose answer did not come in time")
        self.waiting_rows = Gauge(
            "biometrics_waiting_rows",
            "Patterns that wait to be put on the online queue",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def _add_answers(self) -> None:
        self.confidence_score = self._distribution(
            self._histogram("confidence_score", "Confidence scores given out", _SCORES)
        )
        self.anomaly_score = self._distribution(
            self._histogram("anomaly_score", "Anomaly scores given out", _QUANTILES)
        )
        self.inference_seconds = self._distribution(
            self._histogram(
                "inference_seconds",
                "The scoring of the message that carried the pattern",
                _INFERENCE_SECONDS,
            )
        )
        self.anomalies = self._counter("anomalies", "Answers that called the session anomalous")

    def _add_chain(self) -> None:
        self.chain_answers = self._counter("chain_answers", "Signed answers given out")
        self.chain_scored = self._counter(
            "chain_scored", "Questions of the chain that were scored, the others were repeated"
        )
        self.chain_abstentions = self._counter(
            "chain_abstentions", "Questions of the chain that got no score", ("code",)
        )

    def _settle(self) -> None:
        for distribution in self._distributions:
            distribution.enter()

    def _distribution(self, histogram: Histogram, counter: Counter | None = None) -> Distribution:
        self._distributions.append(Distribution(histogram, self._lot, counter))
        return self._distributions[-1]

    def _counter(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"biometrics_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()
    ) -> Histogram:
        return Histogram(
            f"biometrics_{name}", text, labels, registry=self.registry, buckets=buckets
        )


def registry_for_scrape(metrics: ApiMetrics) -> CollectorRegistry:
    """The registry to expose: this process's own, or the sum over processes in multiprocess mode."""
    if MULTIPROCESS_DIRECTORY not in os.environ:
        return metrics.registry
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


def forget_process(pid: int) -> None:
    """Takes a process that ends out of the gauges that add up living processes."""
    if MULTIPROCESS_DIRECTORY in os.environ:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
