"""Requests that nobody was sent before.

One that comes again is a replay to the service: it enters no history, and its writes would be missing from the load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.people import FEATURES, HISTORY, People
from ml.scorer import Scorer
from ml.sessions import Sessions

BODY: Final = (
    '{"did":"%s","features":{'
    + ",".join(f'"{name}":%r' for name in FEATURES)
    + ',"activity_hour_preference":14}}'
)


@dataclass(frozen=True)
class Drawn:
    """N sessions: whose (N,) each is, its four numbers (N, 4), and its body of `POST /predict`."""

    owners: NDArray[np.int64]
    numbers: NDArray[np.float64]
    bodies: list[bytes]


class Supply:
    """Draws sessions of one person after the other, without an end; the same ones on every machine."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._rng = np.random.default_rng(people.seed + 3)
        self._next = 0

    def draw(self, count: int) -> Drawn:
        """`count` sessions more."""
        owners = (self._next + np.arange(count)) % self.people.count  # (N,)
        self._next += count
        numbers = self.people.typed(owners, self._rng)  # (N, 4)
        dids = self.people.dids
        rows = zip(owners.tolist(), numbers.tolist(), strict=True)
        return Drawn(
            owners, numbers, [(BODY % (dids[owner], *row)).encode() for owner, row in rows]
        )

    def bodies(self, count: int) -> list[bytes]:
        """Bodies of `POST /predict`. None brings a history: each contestant has it where it keeps such things."""
        return self.draw(count).bodies

    def batches(self, count: int, size: int) -> list[bytes]:
        """Bodies of `POST /batch-predict` with `size` items each; none has a person twice."""
        return [b"[" + b",".join(self.bodies(size)) + b"]" for _ in range(count)]


def confidences(scorer: Scorer, people: People, drawn: Drawn) -> list[int]:
    """What the scorer says of each session beside its owner's ten first patterns."""
    past, ages = people.histories[drawn.owners], people.ages_hours[drawn.owners]
    counts = np.full(len(drawn.owners), HISTORY)
    sessions = Sessions(drawn.numbers, past, counts, ages_hours=ages)
    return [int(each) for each in scorer.score(sessions).confidence]
