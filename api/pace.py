"""How many messages are on their way at once: as many as keep the workers busy, and no more.

A message that waits in Redis for a worker could have waited here and grown; one too few leaves a worker idle for a
round trip. Two for each worker are right, and how many workers there are shows in the answers: with two for each, a
message waits about as long as it is worked on.
"""

from __future__ import annotations

from typing import Final

FIRST: Final = 2
# Waiting relative to working, as a moving mean. Two messages for each worker make it 1, three make it 2.
TOO_FEW, TOO_MANY = 0.5, 1.6
WEIGHT: Final = 0.2
PATIENCE: Final = 8  # answers between two changes, so that each change has shown its effect


class Pace:
    """Turns to send a message, at most `most` at once. `take` before sending, `give_back` after the answer.

    Whoever got no turn asks again after a `give_back` or a `learn`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = min(FIRST, most)
        self._in_flight = 0
        self._ratio = 1.0
        self._answers = 0
        self._held_up = False

    def take(self) -> bool:
        """Take a turn; False where there is none."""
        if self._in_flight >= self.limit:
            self._held_up = True
            return False
        self._in_flight += 1
        return True

    def give_back(self) -> None:
        """End a turn, whatever came of the message."""
        self._in_flight -= 1

    def learn(self, round_trip_seconds: float, work_seconds: float) -> None:
        """Take one answer into account: how long the message was away, and how long a worker works on one.

        Both are durations by one clock each, so that no two clocks need agree. What a worker does when its answer has
        left counts as its work and not as the message's time away, so that nothing may be left for waiting.
        """
        if work_seconds <= 0:
            return
        waited = max(0.0, round_trip_seconds - work_seconds)
        self._ratio += WEIGHT * (waited / work_seconds - self._ratio)
        self._answers += 1
        if self._answers < PATIENCE:
            return
        self._answers = 0
        if self._ratio < TOO_FEW and self._held_up and self.limit < self._most:
            self.limit += 1
        elif self._ratio > TOO_MANY and self.limit > 1:
            self.limit -= 1
        self._held_up = False
