"""`python -m worker` as a process that cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("role", ["online", "background", "beat", "health"])
def test_a_wrong_setting_is_one_sentence_and_no_trace(role: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", role],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HISTORY_URL": "http://:hunter2@one",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("HISTORY_URL must be a redis:// or rediss:// URL")
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


def test_numpys_threads_are_set_before_numpy_is_there() -> None:
    code = """if True:
        import os, sys, types
        import worker.__main__
        def run(settings):
            print("numpy" in sys.modules, os.environ["OPENBLAS_NUM_THREADS"])
        sys.modules["worker.online"] = types.SimpleNamespace(run=run)
        sys.argv = ["worker", "online"]
        sys.exit(worker.__main__.main())
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "WORKER_THREADS": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False 3\n"
