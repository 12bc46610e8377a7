"""What came of one message of the bulk queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    """What came of a message: how many patterns got a score, and which chunk to send now."""

    scored: int = 0
    failed: int = 0
    send: int | None = None
