"""The service's own FastAPI application with the model in its process: no queue, no worker, nothing joined.

Validation, rate limits, metrics, histories in Redis and their growth are as in the service.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn

from api.app import create_app
from api.line import Tell
from api.protocol import Protocol
from api.reply import Reply
from bench.peers.own_work import OwnWork
from worker.contract import ProbeAnswer
from worker.settings import WorkerSettings


class InProcess:
    """Scores on the event loop: a thread would only wait for the same interpreter, and costs a hand-over."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._work = OwnWork(settings)

    async def start(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def refuse_if_crowded(self) -> None:
        """Nobody waits for a queue."""

    async def score(self, rows: list[list[Any]]) -> Reply:
        """One entry for each row; the histories grow as in the worker."""
        return self._scored(rows)

    def submit(self, rows: list[list[Any]], tell: Tell) -> None:
        """The same, as soon as what has arrived is read."""
        asyncio.get_running_loop().call_soon(lambda: tell(self._scored(rows)))

    def _scored(self, rows: list[list[Any]]) -> Reply:
        worded, entries = self._work.answer(rows)
        if entries:  # as in the worker, the answer leaves first
            asyncio.get_running_loop().call_soon(self._work.enter, entries)
        return Reply.of({"rows": b",".join(worded.rows), "columns": worded.columns()})

    async def probe(self) -> ProbeAnswer:
        """The model of this process."""
        return ProbeAnswer(model_version=self._work.model_version, device="cpu")

    async def queue_depth(self) -> int:
        """There is no queue."""
        return 0

    async def totals(self) -> dict[str, float]:
        """There are no workers."""
        return {}


if __name__ == "__main__":
    uvicorn.run(
        create_app(scoring=InProcess(WorkerSettings())),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http=Protocol,
        ws="none",
        proxy_headers=False,
        access_log=False,
        log_config=None,
    )
