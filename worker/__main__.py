"""`python -m worker online|bulk|background|beat|health`: one role of the worker's side, until told to stop."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

import structlog

from worker.logs import configure
from worker.settings import SettingsError, load_settings

ROLES = {
    "online": "scores what waits in the online queue, with the model in memory",
    "bulk": "scores the patterns of bulk jobs, chunk by chunk, when nothing online wants the core",
    "background": "retrains the model; never in the way of an answer",
    "beat": "sends the scheduled tasks; one instance holds the lock",
    "health": "exits with 0 if the metrics of this container's worker answer",
}


def main() -> int:
    """Run the role named on the command line; 1 with a sentence to the log when it cannot start, 2 for a setting."""
    parser = argparse.ArgumentParser(prog="python -m worker", description=__doc__)
    lines = "; ".join(f"{name}: {what}" for name, what in ROLES.items())
    parser.add_argument("role", choices=ROLES, help=lines)
    role = parser.parse_args().role
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    configure(settings.log_level, settings.log_format)
    if settings.worker_threads:
        # NumPy's BLAS reads it once, when NumPy is first imported: with the role.
        os.environ["OPENBLAS_NUM_THREADS"] = str(settings.worker_threads)
    try:
        importlib.import_module(f"worker.{role}").run(settings)
    except Exception as error:
        structlog.get_logger().critical(f"{role}_cannot_run", error=f"{error}", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
