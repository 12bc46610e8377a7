"""What the routes need of the queue; `api.dispatch.Dispatcher` fulfils it, and so does the tests' stub."""

from __future__ import annotations

from typing import Any, Protocol

from api.line import Tell
from api.reply import Reply
from worker.contract import ProbeAnswer


class Scoring(Protocol):
    """Scores rows of `worker.contract`'s message. Every method that waits ends by a deadline."""

    async def start(self) -> None:
        """Opens what is needed; called once, before anything else."""

    async def close(self) -> None:
        """Ends every wait and closes what `start` opened."""

    def refuse_if_crowded(self) -> None:
        """Raises OverloadedError where one more question would only be late; to be asked before it is read."""

    async def score(self, rows: list[list[Any]]) -> Reply:
        """One entry for each row, in order. Raises `api.errors.ApiError`."""

    def submit(self, rows: list[list[Any]], tell: Tell) -> None:
        """`score` for who does not wait: `tell` is called once, later, with the answers or the error.

        Raises at once what can be known at once.
        """

    async def probe(self) -> ProbeAnswer:
        """What a worker that holds a model says of itself. Raises `api.errors.ApiError`."""

    async def queue_depth(self) -> int:
        """Messages that wait in the online queue. Raises QueueUnavailableError."""

    async def totals(self) -> dict[str, float]:
        """Sums over all workers: predictions, inference_ms_sum, confidence_sum, anomalies."""
