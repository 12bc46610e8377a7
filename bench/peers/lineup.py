"""The tools that one would use instead, and how each is started."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from bench.contestant import Contestant, version_here, version_in
from bench.service import ONE_THREAD, environment
from scripts.part import ROOT, Part
from scripts.ports import free_port

BENTOML_PYTHON: Final = Path(sys.executable).parent.parent / "bentoml" / "bin" / "python"
RAY_QUIET: Final = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}
# Its documentation's own for throughput: many times the requests of its Python proxy.
RAY_TUNED: Final = {
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # HAProxy takes its settings over from itself just after the start. By default it gives up after 30 s, and the
    # turns of the others, in which it stands still, are longer.
    "RAY_SERVE_HAPROXY_STARTUP_TIMEOUT_S": "3600",
}
NO_STORE: Final = "histories in memory, none written; no validation, no rate limits"
INSTALL: Final = "make bench installs it; by hand: pip install -c constraints.txt -e '.[bench]'"


def mosec() -> Contestant:
    """Mosec with a batch of up to 64."""
    port = free_port(0)
    command = [sys.executable, "-m", "bench.peers.mosec_server", "--port", str(port)]
    about = f"Rust front, one Python worker, batches of 64, 1 ms to fill one; {NO_STORE}"
    return _contestant("mosec", "Mosec", version_here("mosec"), command, port, about)


def mosec_whole(url: str, directory: Path) -> Contestant:
    """The same around all of the service's own work, with the histories in the Redis at `url`."""
    port = free_port(0)
    command = [sys.executable, "-m", "bench.peers.mosec_whole", "--port", str(port)]
    about = (
        "Rust front, one Python worker, batches of 64, 1 ms to fill one; validation, histories in Redis,"
        " decisions and entries by the service's own code; no rate limits, no metrics"
    )
    label = "Mosec, with the same work"
    found = _contestant("mosec_whole", label, version_here("mosec"), command, port, about)
    found.parts[0].environment.update(environment(url, port, directory / "mosec-models"))
    return found


def litserve() -> Contestant:
    """LitServe with a batch of up to 64."""
    port = free_port(0)
    command = [sys.executable, "-m", "bench.peers.litserve_server", str(port)]
    about = f"one front, one worker, batches of 64, 1 ms to fill one; {NO_STORE}"
    return _contestant("litserve", "LitServe", version_here("litserve"), command, port, about)


def ray_serve() -> Contestant:
    """Ray Serve with `@serve.batch`, as pip installs it."""
    about = f"its Python proxy, one replica, batches of 64, 1 ms to fill one; {NO_STORE}"
    return _ray("ray", "Ray Serve as installed", about, {})


def ray_serve_tuned() -> Contestant:
    """The same with HAProxy in front and its settings for throughput."""
    about = f"HAProxy, one replica, its throughput settings, batches of 64, 1 ms to fill one; {NO_STORE}"
    return _ray("ray_tuned", "Ray Serve, tuned (HAProxy)", about, RAY_TUNED)


def _ray(name: str, label: str, about: str, settings: dict[str, str]) -> Contestant:
    port = free_port(0)
    command = [sys.executable, "-m", "bench.peers.ray_server", str(port)]
    found = _contestant(name, label, version_here("ray"), command, port, about)
    found.parts[0].environment.update(RAY_QUIET | settings)
    found.ready_seconds = (
        150.0  # a cluster of ten processes: 25 s on two idle cores, 65 on busy ones
    )
    return found


def bentoml() -> Contestant:
    """BentoML, from its own environment; torch and the service's code come from this one."""
    port = free_port(0)
    python = str(BENTOML_PYTHON)
    command = [python, "-m", "bentoml", "serve", "bench.peers.bentoml_service:Scoring"]
    command += ["--port", str(port), "--host", "127.0.0.1", "--timeout", "30"]
    about = f"one worker, adaptive batching up to 64; {NO_STORE}"
    found = _contestant("bentoml", "BentoML", version_in(python, "bentoml"), command, port, about)
    found.envelope = b'{"requests":[%b]}'
    found.help = "make bench installs it into .venv/bentoml from bench/bentoml.txt"
    found.parts[0].environment["BENTOML_DO_NOT_TRACK"] = "True"
    return found


def celery_get(url: str) -> Contestant:
    """FastAPI with a Celery task for each request, on the Redis at `url`."""
    port = free_port(0)
    given: dict[str, str | None] = {"REDIS_URL": url, **ONE_THREAD}
    command = [sys.executable, "-m", "bench.peers.celery_get"]
    worker = Part("bench-celery-worker", [*command, "worker"], given)
    api = Part("bench-celery-api", [*command, "api", str(port)], given)
    about = "64 threads wait in .get(), one solo worker; validates; histories in memory, none written; no rate limits"
    version = version_here("celery")
    return Contestant("celery", "FastAPI + Celery .get()", version, [worker, api], port, about)


def _contestant(
    name: str, label: str, version: str | None, command: list[str], port: int, about: str
) -> Contestant:
    part = Part(f"bench-{name}", command, {**ONE_THREAD, "PYTHONPATH": str(ROOT)})
    return Contestant(name, label, version, [part], port, about, help=INSTALL)
