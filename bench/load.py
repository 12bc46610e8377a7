"""What a load generator is pointed at, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True)
class Target:
    """A route on the loopback, and the bodies to post to it, in turn."""

    port: int
    path: str
    bodies: Sequence[bytes]

    def requests(self) -> list[bytes]:
        """The bytes of each request."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        return [b"%b%d\r\n\r\n%b" % (head, len(body), body) for body in self.bodies]


@dataclass(frozen=True)
class Load:
    """One generator's run. Latencies are those of status 200; `refused` counts the others by status, 0 = no answer."""

    seconds: float
    answered: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    refused: dict[int, int] = field(default_factory=dict)
    late: int = 0  # sent more than 10 ms after the intended moment
    unsent: int = 0  # never sent: no connection was free until the end
    offered: float = 0.0  # requests/s that left in the time, of an open loop
    processor_seconds: float = 0.0  # of the generator itself

    @property
    def rate(self) -> float:
        """Answers of status 200 per second."""
        return self.answered / self.seconds

    @property
    def failed(self) -> int:
        """Requests without an answer of status 200."""
        return sum(self.refused.values()) + self.unsent


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of an ascending sequence reaches at most (nearest rank); NaN of an empty one."""
    if not ordered:
        return float("nan")
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def summed_up(
    latencies_ms: Sequence[float],
    seconds: float,
    refused: dict[int, int],
    late: int = 0,
    unsent: int = 0,
) -> Load:
    """The figures of a run whose good answers took `latencies_ms`."""
    ordered = sorted(latencies_ms)
    return Load(
        seconds,
        len(ordered),
        percentile(ordered, 0.5),
        percentile(ordered, 0.99),
        ordered[-1] if ordered else float("nan"),
        refused,
        late,
        unsent,
    )
