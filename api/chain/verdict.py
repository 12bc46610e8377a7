"""What is said of a question within its window: by every oracle, in every process, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERIAL_BITS: Final = (
    53  # microseconds since 1970 until the year 2255, and what Redis' scripts count exactly
)


@dataclass(frozen=True)
class Verdict:
    """A stored score.

    `timestamp` is the Unix second of its storing; `model` and `history` are 16 hex digits. `serial` is given out with
    the storing, and grows with each verdict.
    """

    score: int
    timestamp: int
    model: str
    history: str
    serial: int

    def nonce(self, oracle_id: int) -> int:
        """A u64: the oracle's 11 bits, then the serial; so no two oracles share one and no oracle repeats one."""
        return oracle_id << SERIAL_BITS | self.serial

    def encode(self) -> bytes:
        """What `api.chain.window` stores."""
        return f"{self.score}:{self.timestamp}:{self.model}:{self.history}:{self.serial}".encode()

    @classmethod
    def decode(cls, stored: bytes) -> Verdict:
        """The verdict that `api.chain.window` stored. Raises ValueError for anything else."""
        score, timestamp, model, history, serial = stored.decode().split(":")
        return cls(int(score), int(timestamp), model, history, int(serial))
