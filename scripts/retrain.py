"""Retrain now instead of at the next scheduled time, and print what came of it.

Sends the task that beat sends; the background worker runs it, and the scoring workers take a promoted model.
"""

from __future__ import annotations

import argparse
import json
import math
import sys

from celery.exceptions import TimeoutError as ResultTimeout

from worker.celery_app import create_celery
from worker.contract import RETRAIN_TASK, TRAINING_QUEUE
from worker.settings import SettingsError, load_settings


def main() -> int:
    """0 when the run ended, promoted or not; 1 when it failed or did not end in time, 2 for a wrong setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wait-seconds", type=_seconds, default=3600, help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        settings = load_settings()
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    app = create_celery(settings.broker_url, settings.result_url)
    result = app.send_task(RETRAIN_TASK, queue=TRAINING_QUEUE)
    print(f"task {result.id} waits in the queue {TRAINING_QUEUE!r}", file=sys.stderr)
    try:
        outcome = result.get(timeout=arguments.wait_seconds)
    except ResultTimeout:
        print("no result in time; help: is the background worker running?", file=sys.stderr)
        return 1
    print(json.dumps(outcome, indent=2))
    return 0


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
