"""`python -m worker online|background|beat|health`: one role of the worker's side, until told to stop."""

from __future__ import annotations

import argparse
import importlib
import sys

import structlog
from pydantic import ValidationError

from worker.logs import configure
from worker.settings import WorkerSettings

ROLES = {
    "online": "scores what waits in the online queue, with the model in memory",
    "background": "retrains the model; never in the way of an answer",
    "beat": "sends the scheduled tasks; one instance holds the lock",
    "health": "exits with 0 if the metrics of this container's worker answer",
}


def main() -> int:
    """Run the role named on the command line; 1 with a sentence to the log when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    lines = "; ".join(f"{name}: {what}" for name, what in ROLES.items())
    parser.add_argument("role", choices=ROLES, help=lines)
    role = parser.parse_args().role
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        for problem in error.errors():
            name = ".".join(str(part) for part in problem["loc"]).upper()
            print(f"{name}: {problem['msg']} (got {problem['input']!r})", file=sys.stderr)  # noqa: T201
        return 2
    configure(settings.log_level, settings.log_format)
    try:
        importlib.import_module(f"worker.{role}").run(settings)
    except Exception as error:
        structlog.get_logger().critical(f"{role}_cannot_run", error=f"{error}", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
