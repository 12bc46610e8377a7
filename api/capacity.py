"""How many patterns a second are answered when there are always more to send, and whether more than that arrive.

Measured by the answers themselves, so that it knows how many workers there are, what their machine does besides, and
how long the present patterns take. Only large messages teach: what one pattern alone costs says little of a crowd.
"""

from __future__ import annotations

import math
from typing import Final

LEAST_ROWS: Final = 32  # of a message that teaches: beyond, its own costs matter little
MEMORY: Final = 0.9  # of what was known, at each lesson
WINDOW_SECONDS: Final = 0.1
# Arrivals beyond what is answered, from which on waiting only gets longer. A closed loop never gets there for long.
TOO_MANY: Final = 1.25


class Capacity:
    """Learns from arrivals and answers; times in monotonic seconds."""

    def __init__(self) -> None:
        self._rows = self._seconds = 0.0
        self._answered_at: float | None = (
            None  # the last answer, where more had to wait at that moment
        )
        self._window_began = -math.inf
        self._arrived = self._arrived_before = 0

    def answered(self, rows: int, now: float, *, held_up: bool) -> None:
        """Take note of a message's answer; `held_up` says whether others wait for its turn."""
        began, self._answered_at = self._answered_at, now if held_up else None
        if began is not None and rows >= LEAST_ROWS:
            self._rows = self._rows * MEMORY + rows
            self._seconds = self._seconds * MEMORY + now - began

    def arrived(self, rows: int, now: float) -> None:
        """Take note of patterns that were brought, refused or not."""
        if now - self._window_began >= WINDOW_SECONDS:
            passed = now - self._window_began < 2 * WINDOW_SECONDS
            self._arrived_before = self._arrived if passed else 0
            self._arrived, self._window_began = 0, now
        self._arrived += rows

    def rows_in(self, seconds: float) -> float:
        """How many patterns are answered in so long under load; endless while that is not known."""
        return seconds * self._rows / self._seconds if self._seconds > 0 else math.inf

    def exceeded(self) -> bool:
        """Whether more arrive than are answered."""
        most = max(self._arrived, self._arrived_before)
        return most > TOO_MANY * self.rows_in(WINDOW_SECONDS)
