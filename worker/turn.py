"""A message's turn: its answer, and when that has left, what is written and counted; both timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from worker.aftermath import Aftermath
from worker.outcome import Outcome
from worker.scoring import ScoringCore


class Turn:
    """One message at a time.

    A reply's `work_seconds` are those of its making and, since they cannot be known yet, the previous message's from
    its reply to the end of its aftermath.
    """

    def __init__(
        self,
        core: ScoringCore,
        aftermath: Aftermath,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._core = core
        self._aftermath = aftermath
        self._monotonic = monotonic
        self._replied = 0.0
        self._after_seconds = 0.0

    def answer(self, message: dict[str, Any]) -> Outcome:
        """What the core makes of it. Raises KeyError, TypeError or ValueError for what is no message at all."""
        began = self._monotonic()
        outcome = self._core.answer(message)
        self._replied = self._monotonic()
        outcome.reply["work_seconds"] = self._replied - began + self._after_seconds
        return outcome

    def write(self, outcome: Outcome) -> None:
        """Of what follows an answer that has left, that which a server must do; waits for nothing."""
        self._aftermath.write(outcome)

    def finish(self, outcome: Outcome) -> None:
        """The rest of what follows."""
        self._aftermath.finish(outcome)
        self._after_seconds = self._monotonic() - self._replied
