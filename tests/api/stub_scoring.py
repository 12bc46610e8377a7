"""A queue without a queue; tests/api/test_ports.py holds it and the real one to the same."""

from __future__ import annotations

import asyncio
from typing import Any

from api.errors import OverloadedError
from api.line import Tell
from api.reply import Reply
from tests.api.known_answer import known_answer
from worker.contract import Answer, ProbeAnswer, RowError


class StubScoring:
    """Answers at once. What it is told to do otherwise stands in its attributes."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.probes = 0
        self.opened = False
        self.crowded = False
        self.failure: Exception | None = None  # raised by every question
        self.row_errors: dict[int, str] = {}  # error codes by the row's place in its message
        self.surplus = 0  # answers too many
        self.sums = dict.fromkeys(
            ("predictions", "inference_ms_sum", "confidence_sum", "anomalies"), 0.0
        )
        self.sums_failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self.opened = True

    async def close(self) -> None:
        self.opened = False

    def refuse_if_crowded(self) -> None:
        if self.crowded:
            raise OverloadedError

    async def score(self, rows: list[list[Any]]) -> Reply:
        self.rows.extend(rows)
        await self._answer_or_fail()
        entries: list[Answer | RowError] = [known_answer(row) for row in rows]
        for index, code in self.row_errors.items():
            entries[index] = RowError(error=code)
        return Reply.worded(entries + [known_answer(rows[0])] * self.surplus)

    def submit(self, rows: list[list[Any]], tell: Tell) -> None:
        async def run() -> None:
            try:
                outcome: Reply | Exception = await self.score(rows)
            except Exception as error:
                outcome = error
            tell(outcome)

        self.tasks.append(asyncio.create_task(run()))

    async def probe(self) -> ProbeAnswer:
        self.probes += 1
        await self._answer_or_fail()
        return {"model_version": "1.0.0", "device": "cpu"}

    async def queue_depth(self) -> int:
        await self._sums_or_fail()
        return 0

    async def totals(self) -> dict[str, float]:
        await self._sums_or_fail()
        return dict(self.sums)

    async def _answer_or_fail(self) -> None:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    async def _sums_or_fail(self) -> None:
        if self.sums_failure is not None:
            raise self.sums_failure
