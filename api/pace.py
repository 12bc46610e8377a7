"""How many messages are on their way at once: as many as keep the workers busy, and no more.

A message that waits in Redis for a worker could have waited here and grown; one too few leaves a worker idle for a
round trip. Two for each worker are right, and how many workers there are shows in the answers: with two for each, a
message waits about as long as it is worked on.

A message carries its share of all that waits or is on its way: were everybody in one message, the workers
would idle while the front end answers and reads them, and the front end while the workers score.
"""

from __future__ import annotations

import math
from typing import Final

FIRST: Final = 2
WORTH_A_MESSAGE: Final = 8  # rows; one message more costs a worker 0.5 ms, as much as 7 rows
# Waiting relative to working, as a moving mean. Two messages for each worker make it 1, three make it 2.
TOO_FEW, TOO_MANY = 0.5, 1.6
WEIGHT: Final = 0.2
MOST_SECONDS: Final = 60.0  # nobody waits as long for an answer
PATIENCE: Final = 8  # answers between two changes, so that each change has shown its effect


def worth_a_message(rows: int) -> bool:
    """Whether so many are better sent at once than joined by others."""
    return rows >= WORTH_A_MESSAGE


class Pace:
    """Turns to send a message, at most `most` at once. `take` where there is a `share`, `give_back` after the answer.

    Whoever got no share asks again after a `give_back` or a `learn`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = min(FIRST, most)
        self._in_flight = 0
        self._rows = 0  # in flight
        self._waited = self._worked = 0.0  # moving means, in seconds
        self._answers = 0
        self._held_up = False

    def share(self, waiting: int) -> int:
        """How many of the waiting rows are enough for one message; 0 where there is no turn."""
        if self._in_flight >= self.limit:
            self._held_up = True
            return 0
        return max(WORTH_A_MESSAGE, math.ceil((waiting + self._rows) / self.limit))

    def take(self, rows: int) -> None:
        """Take a turn for a message of so many rows."""
        self._in_flight += 1
        self._rows += rows

    def give_back(self, rows: int) -> None:
        """End the turn of such a message, whatever came of it."""
        self._in_flight -= 1
        self._rows -= rows

    def learn(self, round_trip_seconds: float, work_seconds: float) -> None:
        """Take one answer into account: how long the message was away, and how long a worker works on one.

        Both are durations by one clock each, so that no two clocks need agree. What a worker does when its answer has
        left counts as its work and not as the message's time away, so that nothing may be left for waiting. What is no
        duration would stay in the means for ever.
        """
        if not 0 < work_seconds < MOST_SECONDS:
            return
        # Each has its own mean: a small message behind a large one waits long for its work, and the large one does not.
        waited = max(0.0, round_trip_seconds - work_seconds)
        self._waited += WEIGHT * (waited - self._waited)
        self._worked += WEIGHT * (work_seconds - self._worked)
        self._answers += 1
        if self._answers < PATIENCE:
            return
        self._answers = 0
        ratio = self._waited / self._worked
        if ratio < TOO_FEW and self._held_up and self.limit < self._most:
            self.limit += 1
        elif ratio > TOO_MANY and self.limit > 1:
            self.limit -= 1
        self._held_up = False
