"""How busy the pinned GPU is, for the metrics; nothing where there is no GPU."""

from __future__ import annotations

import os
from collections.abc import Callable

from worker.metrics import WorkerMetrics


def watch_gpu(metrics: WorkerMetrics, device: str) -> None:
    """Let the two GPU gauges read the device at each scrape. Does nothing for the CPU."""
    if not device.startswith("cuda"):
        return
    import pynvml  # noqa: PLC0415  # only where a GPU is: the library wants the driver

    pynvml.nvmlInit()
    pinned = os.environ["CUDA_VISIBLE_DEVICES"].split(",")[0]
    handle = (
        pynvml.nvmlDeviceGetHandleByIndex(int(pinned))
        if pinned.isdecimal()
        else pynvml.nvmlDeviceGetHandleByUUID(pinned)
    )
    busy: Callable[[], float] = lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100  # noqa: E731
    metrics.gpu_busy.set_function(busy)
    metrics.gpu_memory.set_function(lambda: float(pynvml.nvmlDeviceGetMemoryInfo(handle).used))
