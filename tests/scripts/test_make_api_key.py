from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from api.access.keys import key_hash

ROOT = Path(__file__).resolve().parents[2]


def made() -> tuple[str, str]:
    command = [sys.executable, str(ROOT / "scripts" / "make_api_key.py")]
    environment = {"PYTHONPATH": str(ROOT)}
    output = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    lines = output.stdout.splitlines()
    key = next(line for line in lines if line.startswith("X-API-Key: "))
    sums = next(line for line in lines if line.startswith("API_KEY_HASHES="))
    return key.removeprefix("X-API-Key: "), sums.removeprefix("API_KEY_HASHES=")


def test_the_line_for_the_settings_belongs_to_the_key_and_does_not_hold_it() -> None:
    key, sums = made()
    assert sums == key_hash(key)
    assert key not in sums


def test_every_run_makes_another_key() -> None:
    assert made()[0] != made()[0]
