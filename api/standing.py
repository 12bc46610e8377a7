"""Tells a crowd that stands from a burst that passes."""

from __future__ import annotations

from typing import Final

BURST_SECONDS: Final = 0.2  # a burst may last so long, whatever its size below the hard bound


class Standing:
    """Whether a count has been at `level` or above for longer than a burst lasts. Times in monotonic seconds."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._since: float | None = None

    def see(self, count: int, now: float) -> None:
        """Take note of the count."""
        if count < self._level:
            self._since = None
        elif self._since is None:
            self._since = now

    def stands(self, now: float) -> bool:
        """Whether the count has not been below the level for a burst's time."""
        return self._since is not None and now - self._since > BURST_SECONDS
