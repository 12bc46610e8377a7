"""Measure the service beside its peers: `python -m bench` (under 15 minutes) or `python -m bench --plan quick`.

Writes bench.json, bench.md and the pictures to --output. With --publish the generated parts of README.md and
docs/performance.md are renewed, and the result lies in docs/performance.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

from rich.console import Console

from bench.pictures import draw
from bench.plan import PLANS, Plan
from bench.run import measure
from bench.sections import RESULT, renew
from bench.table import figures_table, page
from scripts.part import CannotRunError


def main() -> int:
    """0 when everything that runs was measured, 1 when the service itself cannot be."""
    arguments = _parser().parse_args()
    plan: Plan = PLANS[arguments.plan]
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    try:
        document = measure(plan, lambda line: console.print(line, markup=False, highlight=False))
    except CannotRunError as error:
        console.print(f"error: {error}", style="red", markup=False)
        return 1
    folder: Path = RESULT.parent if arguments.publish else arguments.output
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.json").write_text(json.dumps(document, indent=1, allow_nan=False) + "\n")
    draw(document, folder)
    if arguments.publish:
        renew()
    else:
        (folder / "bench.md").write_text(page(document).replace("(performance/", "(") + "\n")
    print(figures_table(document["figures"]))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--plan", choices=sorted(PLANS), default="full", help="how long (default: full)")
    add("--output", type=Path, default=Path("reports/bench"), help="folder of the result")
    add("--publish", action="store_true", help="renew the documents, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
