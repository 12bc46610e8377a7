"""Turn key events into sessions with derived statistics: as CSV to train on, or as requests.

The events' columns are user, session, start_unix_ms, press_ms, release_ms, key, gzipped or not; ml/events.py describes
them and ml/keystrokes.py what is measured. An --output that ends in .csv has the columns of
scripts/generate_synthetic.py, every session legitimate. One that ends in .ndjson has a line a session, {"user",
"session", "features", "timestamp"}, whose features are those of POST /predict. Sessions of fewer than 15 keys are left
out; --join 3 takes three of a person's in a row as one, so that a password of 11 keys counts.
A session of n keys has n / --keys-per-window windows, rounded, 1 to 20 of them, as even as can be.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ml.cuts import joined
from ml.events import read_events
from ml.fitting import own_samples
from ml.samples import write
from ml.windows import KEYS_PER_WINDOW, TypedSessions, required, sessions_of


def main() -> int:
    """0 when the file is written, 1 when the events are missing or wrong, 2 for arguments that make no sense."""
    arguments = _parser().parse_args()
    console = Console(stderr=True)
    if arguments.output.suffix not in {".csv", ".ndjson"}:
        console.print("error: --output must end in .csv or .ndjson", style="red", markup=False)
        return 2
    try:
        with console.status("reading"):
            events = read_events(arguments.events)
            if arguments.join > 1:
                events = joined(events, arguments.join)
            events = required(events, str(arguments.events), people=1)
            typed = sessions_of(events, arguments.keys_per_window)
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        _write(typed, arguments.output, console)
    except (OSError, ValueError) as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    users = len(set(typed.user.tolist()))
    windows = len(typed.windows)
    print(f"{arguments.output}: {len(typed)} sessions of {users} people, {windows} windows")
    return 0


def _write(typed: TypedSessions, output: Path, console: Console) -> None:
    with Progress(console=console) as progress:
        bar = progress.add_task("writing", total=len(typed))
        if output.suffix == ".csv":
            samples = own_samples(typed.table())
            write(samples, output, lambda rows: progress.update(bar, completed=rows))
            return
        with output.open("w", encoding="utf-8") as file:
            for request in typed.requests():
                file.write(json.dumps(request, separators=(",", ":")) + "\n")
                progress.advance(bar)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--events", type=Path, required=True, help="key events, .csv or .csv.gz")
    add("--output", type=Path, required=True, help="file to write, .csv or .ndjson")
    add(
        "--keys-per-window",
        type=int,
        default=KEYS_PER_WINDOW,
        help="about so many keys a window, 15 or more (default: %(default)s)",
    )
    add(
        "--join",
        type=_positive,
        default=1,
        help="so many sessions of a person in a row are one; a rest is left out (default: %(default)s)",
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {value}")
    return value


if __name__ == "__main__":
    sys.exit(main())
