"""One process of the running service."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".run"
STOP_SECONDS = 10
LAST_LINES = 15
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class CannotRunError(Exception):
    """Raised when a part cannot start or has died; the message says which, why, and what helps."""


@dataclass
class Part:
    """One process of the service, in a session of its own so that Ctrl-C reaches this script alone.

    It gets this script's environment with `environment` on top; None takes a variable away.
    """

    name: str
    command: list[str]
    environment: dict[str, str | None] = field(default_factory=dict)
    where: str = ""
    process: subprocess.Popen[bytes] | None = None
    asked: bool = False

    @property
    def log(self) -> Path:
        """Where the part's output goes."""
        return STATE / "logs" / f"{self.name}.log"

    def start(self) -> None:
        """Start the process; it is told to end should this script be killed. Raises OSError."""
        environment = {**os.environ, **self.environment}
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603  # our own commands
                self.command,
                cwd=ROOT,
                env={name: value for name, value in environment.items() if value is not None},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent  # noqa: PLW1509  # no thread runs in this script
                if sys.platform == "linux"
                else None,
            )

    def check(self) -> None:
        """Raises CannotRunError with the last lines of its log when the process has ended."""
        if self.process is None or self.process.poll() is None:
            return
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])
        raise CannotRunError(
            f"{self.name} ended with code {self.process.returncode}; its last lines "
            f"({self.log.relative_to(ROOT)}):\n{tail}"
        )

    def ask_to_end(self) -> None:
        """Tell a running process to end, once, and do not wait."""
        if self.process is not None and not self.asked and self.process.poll() is None:
            self.process.terminate()
            self.asked = True

    def stop(self) -> None:
        """Ask it to end, wait, then end it and whatever it started."""
        if self.process is None:
            return
        self.ask_to_end()
        if self.process.poll() is None:
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"{self.name} did not stop in {STOP_SECONDS} s; it is killed")
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
