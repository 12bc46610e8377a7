"""What each process and each Redis command of a real service costs a request: `python -m bench.spent`."""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
from redis import Redis

from bench.budget_front import LIMITS
from bench.people import People
from bench.supply import Supply
from tests.e2e.service import RunningService

CONNECTIONS = (64, 1)
SECONDS = 4.0
BEFORE = 400  # requests, so that every DID has a history and nothing is cold
DIDS = 200
MOST_A_SECOND = 4000  # so many requests are ready, and none is sent twice
RECORDED = b'"recorded":true'


def table(seconds: float = SECONDS) -> list[str]:
    """A Markdown table of processor time and Redis commands for one request, by number of connections."""
    with tempfile.TemporaryDirectory() as directory:
        service = RunningService(
            Path(directory), RATE_LIMITS=LIMITS, LOG_LEVEL="WARNING", UPDATES_PER_DAY="0"
        )
        try:
            parts = {
                "redis": service.redis(),
                "worker": service.worker(),
                "api": service.api(),
            }
            service.wait_healthy()
            processes = {name: psutil.Process(part.pid) for name, part in parts.items()}
            supply = Supply(People(DIDS))
            _load(service, supply, 8, seconds=60.0, requests=BEFORE)
            columns = [_spent(service, supply, processes, count, seconds) for count in CONNECTIONS]
        finally:
            service.stop()
    return _lines(columns)


def _spent(
    service: RunningService,
    supply: Supply,
    processes: dict[str, psutil.Process],
    connections: int,
    seconds: float,
) -> dict[str, float]:
    with Redis.from_url(service.redis_url) as redis:
        redis.config_resetstat()
        before = {name: _cpu(process) for name, process in processes.items()}
        waits, recorded = _load(service, supply, connections, seconds)
        spent = {name: _cpu(process) - before[name] for name, process in processes.items()}
        calls: Any = redis.info("commandstats")
    served = len(waits)
    found = {f"us of {name}": value / served * 1e6 for name, value in spent.items()}
    found["share that entered a history"] = recorded / served
    found["p50 in ms"] = sorted(waits)[served // 2] * 1e3
    asked = Counter(
        {name.removeprefix("cmdstat_"): figures["calls"] for name, figures in calls.items()}
    )
    for name in ("config|resetstat", "info"):
        del asked[name]
    found["Redis commands"] = asked.total() / served
    return found | {f"`{name.upper()}`": n / served for name, n in asked.most_common(12)}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _load(
    service: RunningService,
    supply: Supply,
    connections: int,
    seconds: float,
    requests: int = 1_000_000,
) -> tuple[list[float], int]:
    """How long each request took, in seconds, and how many entered; each connection has one request at a time."""
    bodies = iter(supply.bodies(min(requests + connections, round(MOST_A_SECOND * seconds))))
    waits: list[float] = []
    recorded: list[int] = []
    end = time.monotonic() + seconds

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        while time.monotonic() < end and len(waits) < requests:
            began = time.perf_counter()
            connection.request("POST", "/predict", next(bodies))
            answer = connection.getresponse()
            recorded.append(RECORDED in answer.read())
            assert answer.status == http.client.OK, answer.status
            waits.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, sum(recorded)


def _lines(columns: list[dict[str, float]]) -> list[str]:
    names = list(dict.fromkeys(name for column in columns for name in column))
    head = " | ".join(f"{count} connections" for count in CONNECTIONS)
    lines = [f"| one request | {head} |", "|---" * (1 + len(columns)) + "|"]
    for name in names:
        figures = " | ".join(f"{column.get(name, 0.0):.2f}" for column in columns)
        lines.append(f"| {name} | {figures} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))
