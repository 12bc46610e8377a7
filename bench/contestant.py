"""One system under measurement: its processes, how a request reaches it, and what it leaves out."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from bench.load import Target
from scripts.part import CannotRunError, Part

ENVELOPE: Final = b"%b"


@dataclass
class Contestant:
    """What is measured. `version` is None where its tool is not installed.

    `envelope` is what stands around a request's body, with `%b` for the body.
    """

    name: str
    label: str
    version: str | None
    parts: list[Part]
    port: int
    about: str  # how it is set up, and what it leaves out
    path: str = "/predict"
    envelope: bytes = ENVELOPE
    help: str = ""
    ready_seconds: float = 60.0
    _seen: set[psutil.Process] = field(default_factory=set)

    def start(self, body: bytes) -> None:
        """Start all parts and wait until `body` is answered. Raises CannotRunError with the reason."""
        if self.version is None:
            raise CannotRunError(f"not installed; help: {self.help}")
        for part in self.parts:
            part.start()
        self.await_answer(body, self.ready_seconds)

    def await_answer(self, body: bytes, seconds: float) -> None:
        """Ask until `body` is answered. Raises CannotRunError with the reason."""
        end = time.monotonic() + seconds
        while self.ask(body)[0] != http.client.OK:
            for part in self.parts:
                part.check()
            if time.monotonic() > end:
                raise CannotRunError(f"no answer within {seconds:.0f} s")
            time.sleep(0.05)

    def ask(self, body: bytes) -> tuple[int, Any]:
        """Status and answer of one request; status 0 where nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", self.path, self.envelope % body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, ValueError, http.client.HTTPException):
            return 0, None
        finally:
            connection.close()

    def target(self, bodies: Sequence[bytes]) -> Target:
        """What a generator is pointed at."""
        return Target(self.port, self.path, [self.envelope % body for body in bodies])

    def pause(self) -> None:
        """Stop the processes where they are, so that they take nothing from whom is measured next."""
        for process in self._processes():
            with suppress(psutil.Error):
                process.suspend()

    def resume(self) -> None:
        """Let them go on."""
        for process in self._processes():
            with suppress(psutil.Error):
                process.resume()

    def stop(self) -> None:
        """End every process that the contestant started, those of their own sessions included."""
        self._processes()
        self.resume()
        for part in reversed(self.parts):
            part.ask_to_end()
        for part in reversed(self.parts):
            part.stop()
        for process in self._seen:
            with suppress(psutil.Error):
                process.kill()

    def _processes(self) -> set[psutil.Process]:
        for part in self.parts:
            if part.process is not None:
                with suppress(psutil.Error):
                    root = psutil.Process(part.process.pid)
                    self._seen |= {root, *root.children(recursive=True)}
        return self._seen


def version_in(python: str, distribution: str) -> str | None:
    """The version that the interpreter `python` would import, or None."""
    question = f"import importlib.metadata as m; print(m.version({distribution!r}))"
    try:
        found = subprocess.run(  # noqa: S603  # our own command
            [python, "-c", question], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()


def version_here(distribution: str) -> str | None:
    """The same of this interpreter."""
    return version_in(sys.executable, distribution)
