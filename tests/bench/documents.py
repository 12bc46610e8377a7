"""A measurement that is made up, as the report's tests need one."""

from __future__ import annotations

from typing import Any

from bench.figures import figures

SAMPLES: dict[str, list[float]] = {
    "rate/service": [4000.0, 4400.0, 4200.0],
    "rate/mosec": [4000.0, 4000.0, 4000.0],
    "p99_64_ms/service": [21.0],
    "p99_64_ms/mosec": [19.0],
    "p50_one_ms/service": [1.5, 1.6, 1.4],
    "p50_one_ms/mosec": [4.0],
    "p50_one_ms/echo": [0.25],
    "scorer_one_ms": [0.5, 0.5, 0.5],
    "scorer/64": [30000.0],
    "chain/64": [50000.0],
    "failed_64/service": [0.0, 0.0, 0.0],
    "failed_64/mosec": [2.0, 0.0, 1.0],
    "open_failed/service": [0.0, 0.0],
}


def document(**changes: Any) -> dict[str, Any]:
    """The JSON of a measurement of the service, Mosec, and one peer that could not be installed."""
    labels = {"service": "this service", "mosec": "Mosec", "ray": "Ray Serve"}
    contestants: list[dict[str, Any]] = [
        {"name": name, "label": label, "version": "1.0", "about": f"about {name}", "out": ""}
        for name, label in labels.items()
    ]
    contestants[2] |= {"version": None, "out": "not installed; help: make bench\nmore of it"}
    points = [
        {"name": name, "rate": rate, "p50_ms": 2.0, "p99_ms": rate / 100, "answered": 1.0}
        for name in ("service", "mosec")
        for rate in (100, 800)
    ]
    libraries = {"torch": "2.13.0", "numpy": "2.4.6"}
    return {
        "date": "2026-11-21",
        "plan": "full",
        "machine": {
            "cores": 2,
            "processor": "Some Processor",
            "load_average": 0.1,
            "memory_gib": 24,
            "system": "Linux x86_64",
            "python": "3.11.7",
            "libraries": libraries,
        },
        "generator": "wrk",
        "contestants": contestants,
        "figures": [figure.entry() for figure in figures(SAMPLES, labels)],
        "curve": points,
        "samples": SAMPLES,
        "took_seconds": 600,
        **changes,
    }
