"""Write synthetic sessions of synthetic people, genuine ones and impostors, as CSV.

Columns: user, unix_seconds, typing_speed_wpm, avg_key_hold_time_ms, avg_transition_time_ms, error_rate_percent,
activity_hour_preference, legitimate (1 or 0), kind (genuine, other, bot, replay, mimic); then what is derived of the
session's windows, see ml/statistics.py: 34 statistics in natural units, 23 counts and the number of windows.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from ml.aalto import aalto
from ml.samples import Samples, generate, write


def main() -> int:
    """0 when the file is written, 2 for arguments that make no sense."""
    arguments = _parser().parse_args()
    console = Console(stderr=True)
    try:
        rng = np.random.default_rng(arguments.seed)
        samples = generate(aalto(), arguments.samples, arguments.legitimate_ratio, rng)
    except ValueError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 2
    with Progress(console=console) as progress:
        bar = progress.add_task("writing", total=len(samples))
        write(samples, arguments.output, lambda rows: progress.update(bar, completed=rows))
    print(_summary(samples, arguments.output))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=10_000, help="rows (default: %(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("data/raw/synthetic_data.csv"),
        help="file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--legitimate-ratio",
        type=float,
        default=0.8,
        help="share of rows typed by the person they claim to be (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same file")
    return parser


def _summary(samples: Samples, path: Path) -> str:
    kinds, counts = np.unique(samples.kind, return_counts=True)
    named = ", ".join(f"{count} {kind}" for kind, count in zip(kinds, counts, strict=True))
    return f"{path}: {len(samples)} samples of {len(samples.sessions.users())} people ({named})"


if __name__ == "__main__":
    sys.exit(main())
