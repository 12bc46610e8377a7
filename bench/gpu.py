"""The scorer on a GPU, by size of batch, and what the launches and the transfers take of it: `python -m bench.gpu`.

One call of the scorer is held against the time that the device itself was busy in it, by torch's profiler: in kernels,
and in copies between the machine's memory and its own. What is left is Python, NumPy and the launches. With
`--device cpu` the same runs without any device; there is no share then.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch.profiler import ProfilerActivity, profile

from bench.peers.answers import MODEL
from bench.people import People
from bench.scorer_alone import rate, sessions
from ml.registry import load

BATCHES: Final = (64, 256, 1024, 4096, 16384, 65536)
SECONDS: Final = 1.0
PROFILED: Final = 5  # calls


@dataclass(frozen=True)
class Measured:
    """One size of batch: patterns/s, and shares of a call's time; the shares are None where there is no device."""

    batch: int
    patterns_a_second: float
    kernels: float | None = None
    copies: float | None = None

    def line(self) -> str:
        """A row of the table."""
        if self.kernels is None or self.copies is None:
            return f"| {self.batch:,} | {self.patterns_a_second:,.0f} | | | |"
        left = 1 - self.kernels - self.copies
        return (
            f"| {self.batch:,} | {self.patterns_a_second:,.0f} | {self.kernels:.0%}"
            f" | {self.copies:.0%} | {left:.0%} |"
        )


def measure(
    device: str, batches: tuple[int, ...] = BATCHES, seconds: float = SECONDS
) -> list[Measured]:
    """Each size in turn. Raises RuntimeError where torch has no such device."""
    scorer, people = load(MODEL, device), People()
    scorer.warm_up()
    found = []
    for batch in batches:
        given = sessions(people, batch)

        def call() -> object:
            return scorer.score(given)  # noqa: B023  # called before the next round

        speed = rate(call, batch, seconds)
        shares = device_shares(call) if torch.device(device).type == "cuda" else (None, None)
        found.append(Measured(batch, speed, *shares))
    return found


def device_shares(call: Callable[[], object], kind: str = "CUDA") -> tuple[float, float]:
    """Which share of the time of `call` a device spent in kernels, and which in copies.

    `kind` "CPU" runs the same profiler where there is no GPU; its events are nested, so they are no shares of a time.
    """
    with profile(activities=[getattr(ProfilerActivity, kind)]) as profiler:
        began = time.perf_counter()
        for _ in range(PROFILED):
            call()
        if kind == "CUDA":
            torch.cuda.synchronize()
        took_us = (time.perf_counter() - began) * 1e6
    events = [
        (str(event.name), float(event.time_range.elapsed_us()))
        for event in profiler.events() or ()
        if event.device_type.name == kind
    ]
    return split(events, took_us)


def split(events: list[tuple[str, float]], took_us: float) -> tuple[float, float]:
    """The shares of kernels and of copies, from a device's events (name, microseconds)."""
    copies = sum(us for name, us in events if name.startswith(("Memcpy", "Memset")))
    return (sum(us for _, us in events) - copies) / took_us, copies / took_us


def table(measured: list[Measured]) -> str:
    """In Markdown."""
    head = "| batch | patterns/s, with importances | kernels | transfers | launches and the rest |"
    return "\n".join([head, "|---|---|---|---|---|", *(one.line() for one in measured)])


def main() -> int:
    """1 where there is no such device."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="as torch names it (default: cuda)")
    device: str = parser.parse_args().device
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        print("error: torch finds no GPU; --device cpu tries the same without", file=sys.stderr)
        return 1
    print(table(measure(device)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
