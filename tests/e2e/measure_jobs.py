"""Measures what docs/reliability.md tells of bulk jobs: `python -m tests.e2e.measure_jobs [speed|memory|latency]`."""

from __future__ import annotations

import http.client
import json
import math
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from ml.registry import load
from ml.sessions import Sessions
from scripts.score_patterns import Client
from tests.e2e.bulk import NUMBERS
from tests.e2e.service import ROOT, RunningService

BEGIN = 1_780_000_000
LANES = 16
MANY = int(os.environ.get("MEASURE_MANY", "1000000"))  # patterns of the large job


DAYS_APART = (
    3  # the jobs of one run: a job is a day and some hours long, and one fills a day's quota
)


def lines(count: int, dids: int, turn: int) -> Iterator[bytes]:
    """Patterns in order of time, each DID near its own mean; every turn has later ones, and none twice."""
    rng = random.Random(turn)
    begin = BEGIN + turn * DAYS_APART * 86_400
    for n in range(count):
        did = rng.randrange(dids)
        own = random.Random(did)
        means = (own.uniform(40, 80), own.uniform(80, 140), own.uniform(60, 150), own.uniform(1, 6))
        values = [round(mean * rng.uniform(0.95, 1.05), 2) for mean in means]
        features = dict(zip(NUMBERS, values, strict=True)) | {"activity_hour_preference": 14}
        body = {"did": f"did:measure:{did}", "timestamp": begin + n, "features": features}
        yield json.dumps(body).encode() + b"\n"


def started(directory: str) -> tuple[RunningService, dict[str, psutil.Process]]:
    """A service with one bulk worker, and its processes by name."""
    service = RunningService(Path(directory))
    parts = {
        "redis": service.redis(),
        "bulk": service.worker("bulk"),
        "online": service.worker(),
        "beat": service.worker("beat"),
        "api": service.api(),
    }
    service.wait_healthy()
    service.wait_for(lambda: " ready." in parts["bulk"].log.read_text(), "the bulk worker is ready")
    return service, {name: psutil.Process(part.pid) for name, part in parts.items()}


def run_job(
    service: RunningService, count: int, dids: int, turn: int
) -> tuple[float, float, float, float]:
    """Seconds to submit, until done, and to fetch; and the share of patterns that entered a history."""
    client = Client(service.url(""), None)
    body = list(lines(count, dids, turn))
    began = time.perf_counter()
    job_id = client.submit(iter(body), f"{count}.{time.time()}")
    submitted = time.perf_counter()
    while client.job(job_id)["state"] not in {"done", "failed"}:
        time.sleep(0.05)
    done = time.perf_counter()
    results = list(client.results(job_id, 0))
    fetched = time.perf_counter()
    assert len(results) == count
    recorded = sum(b'"recorded":true' in line for line in results) / count
    return submitted - began, done - submitted, fetched - done, recorded


def scorer_rate() -> float:
    """Patterns/s of the scorer alone, in batches of 1,024 with histories of 10."""
    torch.set_num_threads(1)
    scorer = load(ROOT / "models" / "production" / "model.pth")
    scorer.warm_up()
    current = np.random.default_rng(1).uniform([30, 70, 60, 0], [90, 150, 250, 10], (1024, 4))
    batch = Sessions(current, np.repeat(current[:, None], 10, axis=1), np.full(1024, 10))
    began, count = time.process_time(), 0
    while time.process_time() - began < 3:
        scorer.score(batch)
        count += 1024
    return count / (time.process_time() - began)


def speed() -> None:
    """End to end, by the clock and in processor time: what a quiet machine with a core for each could reach."""
    alone = scorer_rate()
    with tempfile.TemporaryDirectory() as directory:
        service, processes = started(directory)
        try:
            run_job(service, 100_000, 20_000, 0)  # its DIDs get their histories
            before = _processor_seconds(processes)
            *times, recorded = run_job(service, 100_000, 20_000, 1)
            used = {k: v - before[k] for k, v in _processor_seconds(processes).items()}
        finally:
            service.stop()
    again = scorer_rate()
    print(f"scorer alone: {alone:,.0f} patterns/s; again afterwards: {again:,.0f}")
    print("submit {:.1f} s, work {:.1f} s, fetch {:.1f} s".format(*times))
    print(f"end to end: {100_000 / sum(times):,.0f} patterns/s; {recorded:.0%} entered a history")
    print("processor: " + ", ".join(f"{name} {each:.2f} s" for name, each in used.items()))
    share = 200_000 / (alone + again) / sum(used.values())
    print(f"the scorer's time for as many patterns is {share:.2f} of all of that")


def _processor_seconds(processes: dict[str, psutil.Process]) -> dict[str, float]:
    return {name: sum(processes[name].cpu_times()[:2]) for name in ("api", "bulk", "redis")}


def memory() -> None:
    """Peak resident memory of API and bulk worker while a job of each size runs."""
    for count in (10_000, MANY):
        with tempfile.TemporaryDirectory() as directory:
            service, processes = started(directory)
            try:
                run_job(service, 2_000, 500, 0)
                peak, stop = _watched({name: processes[name] for name in ("api", "bulk")})
                run_job(service, count, max(count // 5, 1), 1)
                stop.set()
            finally:
                service.stop()
        sizes = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in peak.items())
        print(f"{count:,} patterns: {sizes}", flush=True)


def _watched(processes: dict[str, psutil.Process]) -> tuple[dict[str, int], threading.Event]:
    peak, stop = dict.fromkeys(processes, 0), threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            for name, process in processes.items():
                peak[name] = max(peak[name], process.memory_info().rss)

    threading.Thread(target=watch, daemon=True).start()
    return peak, stop


def latency() -> None:
    """p50 and p99 of `/predict` at 200 requests/s, without and with a job."""
    with tempfile.TemporaryDirectory() as directory:
        service, _ = started(directory)
        try:
            _predictions(service, 5, 0)
            print(
                "without a job: p50 {:.1f} ms, p99 {:.1f} ms".format(*_predictions(service, 20, 1))
            )
            body = list(lines(200_000, 20_000, 1))
            client = Client(service.url(""), None)
            job = threading.Thread(target=client.submit, args=(iter(body), "latency"))
            job.start()
            print(
                "with a job:    p50 {:.1f} ms, p99 {:.1f} ms".format(*_predictions(service, 20, 2))
            )
            job.join()
        finally:
            service.stop()


def _predictions(service: RunningService, seconds: float, turn: int) -> tuple[float, float]:
    """Milliseconds from the moment at which each request was due; every one must be answered with 200."""
    times: list[float] = []
    statuses: list[int] = []
    bodies = [body.rstrip() for body in lines(int(200 * seconds), 2_000, turn)]
    began = time.perf_counter()

    def work(lane: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
        for n in range(lane, int(200 * seconds), LANES):
            due = began + n / 200
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", "/predict", bodies[n])
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            times.append((time.perf_counter() - due) * 1000)

    lanes = [threading.Thread(target=work, args=(lane,)) for lane in range(LANES)]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    assert statuses == [200] * len(bodies), (
        "no figure: some requests were refused or never answered"
    )
    times.sort()
    return times[len(times) // 2], times[math.ceil(len(times) * 0.99) - 1]


if __name__ == "__main__":
    measures: dict[str, Any] = {"speed": speed, "memory": memory, "latency": latency}
    for name in sys.argv[1:] or measures:
        measures[name]()
