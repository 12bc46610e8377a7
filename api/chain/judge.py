"""Has a question scored by a worker, and stores the verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from api.chain.digests import Digests
from api.chain.message import SHORT_BYTES
from api.chain.question import Question
from api.chain.verdict import Verdict
from api.chain.window import Window
from api.errors import UnsupportedMessageError, error_for
from api.metrics import ApiMetrics
from api.ports import Scoring
from worker.contract import RowError


class Judge:
    """`required` recorded patterns are needed for a score; `clock` tells Unix seconds."""

    def __init__(
        self,
        scoring: Scoring,
        window: Window,
        digests: Digests,
        metrics: ApiMetrics,
        *,
        required: int,
        clock: Callable[[], float],
    ) -> None:
        self._scoring = scoring
        self._window = window
        self._digests = digests
        self._metrics = metrics
        self._required = required
        self._clock = clock

    async def judge(self, question: Question) -> Verdict:
        """The verdict that is stored now: this one, or one that somebody stored meanwhile. Raises ApiError."""
        reply = await self._scoring.score([question.row(self._required)])
        (entry,) = reply
        if "error" in entry:
            raise error_for(cast("RowError", entry)["error"])
        if "provenance" not in entry:
            raise UnsupportedMessageError
        verdict = await self._window.settle(
            question,
            entry["confidence_score"],
            entry["provenance"]["model"][: 2 * SHORT_BYTES],
            self._digests.history(entry["provenance"]["history"]),
            self._clock(),
        )
        self._metrics.chain_scored.inc()
        self._metrics.observe_answers(reply)
        return verdict
