"""What a room may not know, seen in a fresh process."""

from __future__ import annotations

import subprocess
import sys

import pytest


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*(name.split('.')[0] for name in sys.modules))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(seen.stdout.split())


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("api.app", {"torch", "numpy", "ml", "matplotlib"}),
        ("worker.packed", {"torch", "numpy", "ml", "fastapi", "pydantic", "celery", "redis"}),
        ("worker.celery_app", {"torch", "numpy", "ml", "fastapi", "pydantic"}),
        ("worker.beat", {"torch", "numpy", "ml", "fastapi"}),
        (
            "worker.online",
            {"torch", "ml", "fastapi"},
        ),  # the device is pinned before torch is imported
        ("worker.bulk", {"torch", "ml", "fastapi"}),
        ("worker.background", {"torch", "numpy", "ml", "fastapi"}),
        ("ml.sessions", {"torch", "redis", "celery", "api", "worker"}),
        ("ml.evidence", {"torch", "redis", "celery", "api", "worker"}),
    ],
)
def test_a_room_does_not_pay_for_what_it_may_not_know(module: str, strangers: set[str]) -> None:
    assert loaded_by(module) & strangers == set()
