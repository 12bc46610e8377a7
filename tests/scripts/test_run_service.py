"""What `make run` says where it cannot start; tests/e2e/test_run.py lets it work."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.service import ROOT, free_port

SCRIPTS = ("part.py", "ports.py", "run_settings.py", "run_service.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The project's files, with a place of their own for the state of the run."""
    (tmp_path / "scripts").mkdir()
    for name in SCRIPTS:  # they look for .run beside themselves
        (tmp_path / "scripts" / name).write_text((ROOT / "scripts" / name).read_text())
    (tmp_path / "worker").symlink_to(ROOT / "worker")
    return tmp_path


def refusal(root: Path, **environment: str) -> str:
    """The one line that the run says before it ends."""
    metrics = ("WORKER_METRICS_PORT", "BACKGROUND_METRICS_PORT", "BULK_METRICS_PORT")
    names = ("PORT", "FLOWER_PORT", *metrics)
    ports = {name: str(free_port()) for name in (*names, "EMBEDDED_REDIS_PORT")}
    done = subprocess.run(
        [sys.executable, "-m", "scripts.run_service"],
        cwd=root,
        env={"PATH": os.environ["PATH"], **ports, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "abc", "PORT must be a port from 1 to 65535 (got 'abc'); help: PORT=8000"),
        ("PORT", "0", "PORT must be a port from 1 to 65535 (got '0'); help: PORT=8000"),
        ("FLOWER_PORT", "-1", "FLOWER_PORT must be a port from 1 to 65535"),
        ("REDIS_URL", "nonsense", "REDIS_URL must be a redis:// or rediss:// URL"),
        ("HOST", "nonsense.invalid", "HOST must be an address of this machine"),
        ("RETRAIN_SCHEDULE", "weekly", "RETRAIN_SCHEDULE must be a cron expression"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_nothing_is_started(
    root: Path, name: str, value: str, said: str
) -> None:
    assert refusal(root, **{name: value}).startswith(said)
    assert not (root / ".run" / "logs").exists()


def test_two_settings_with_one_port_are_named_before_anything_is_started(root: Path) -> None:
    port = str(free_port())
    said = refusal(root, PORT=port, WORKER_METRICS_PORT=port)
    assert said.startswith(f"PORT and WORKER_METRICS_PORT are both {port}")
    assert not (root / ".run").exists()


def test_a_file_where_the_state_belongs_is_named_with_what_to_do(root: Path) -> None:
    (root / ".run").write_text("")
    said = refusal(root)
    assert said.startswith(f"{root / '.run'} cannot be used (File exists)")
    assert "help: " in said


def test_a_lock_that_cannot_be_opened_is_named_with_what_to_do(root: Path) -> None:
    (root / ".run" / "lock").mkdir(parents=True)
    said = refusal(root)
    assert said.startswith(f"{root / '.run' / 'lock'} cannot be used (Is a directory)")
    assert "help: " in said


def test_state_that_cannot_be_written_is_named_with_what_to_do(root: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is read-only to the superuser")
    (root / ".run").mkdir(mode=0o500)
    assert "cannot be used (Permission denied)" in refusal(root)


def test_a_log_that_cannot_be_opened_is_named_with_what_to_do(root: Path) -> None:
    (root / ".run" / "logs").mkdir(parents=True)
    (root / ".run" / "logs" / "redis.log").mkdir()
    assert "redis.log cannot be used (Is a directory)" in refusal(root)


def test_the_state_is_the_owners_alone(root: Path) -> None:
    refusal(root, HOST="nonsense.invalid")
    assert stat.S_IMODE((root / ".run").stat().st_mode) == 0o700
