"""What one `/predict` costs, stage by stage and process by process: `python -m bench.budget`.

Stages are timed alone in this process, in processor time, the fastest of many calls; the processes are those of a real
service under load. A stage's figure is microseconds for one pattern of a message of ROWS.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bench import spent
from bench.budget_front import front_stages
from bench.budget_worker import worker_stages

ROWS: Final = (1, 32)  # alone, and in the company of a loaded service
SECONDS: Final = 0.2

Stage = tuple[str, Callable[[], object], int]
"""Name, what to time, and how many patterns one call serves."""


def microseconds(call: Callable[[], object], seconds: float = SECONDS) -> float:
    """The processor time of the fastest call."""
    call()
    fastest = float("inf")
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.thread_time()
        call()
        fastest = min(fastest, time.thread_time() - began)
    return fastest * 1e6


def stage_table(rows: tuple[int, ...] = ROWS, seconds: float = SECONDS) -> list[str]:
    """A Markdown table: a line for each stage, a column for each message size."""
    columns = [
        [
            (name, microseconds(call, seconds) / patterns)
            for name, call, patterns in (*front_stages(size), *worker_stages(size))
        ]
        for size in rows
    ]
    head = " | ".join(f"us a pattern, message of {size}" for size in rows)
    lines = [f"| stage | {head} |", "|---" * (1 + len(rows)) + "|"]
    for row in zip(*columns, strict=True):
        figures = " | ".join(f"{figure:.1f}" for _, figure in row)
        lines.append(f"| {row[0][0]} | {figures} |")
    return lines


def main() -> None:
    """Print both tables."""
    print("\n".join(stage_table()))
    print()
    print("\n".join(spent.table()))


if __name__ == "__main__":
    main()
