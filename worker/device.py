"""Which device this worker process computes on, decided before torch is imported.

A process sees one GPU only: the choice is written into CUDA_VISIBLE_DEVICES, which torch reads once when it is first
imported, and never taken back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

CPU = "cpu"
FIRST_VISIBLE_GPU = "cuda:0"


class DeviceError(ValueError):
    """Raised when WORKER_DEVICE is no device, or torch is imported already."""


def pin(wanted: str, environment: MutableMapping[str, str], *, gpu_present: bool) -> str:
    """The torch device for this process: "cpu" or "cuda:0" (the only GPU that it sees).

    `wanted` is "cpu", "cuda", "cuda:N", "N", or empty for the first GPU if there is one and the CPU if not.
    """
    if "torch" in sys.modules:
        raise DeviceError("torch is imported already; pin the device first")
    choice = wanted.strip().lower()
    if choice == "" and not gpu_present:
        choice = CPU
    if choice == CPU:
        environment["CUDA_VISIBLE_DEVICES"] = ""
        return CPU
    index = choice.removeprefix("cuda").removeprefix(":") or "0"
    if not index.isdecimal():
        raise DeviceError(f"WORKER_DEVICE must be cpu, cuda:N or an index N (got {wanted!r})")
    environment["CUDA_VISIBLE_DEVICES"] = _visible(int(index), environment)
    return FIRST_VISIBLE_GPU


def take_device(wanted: str, threads: int) -> str:
    """Pin this process as `pin` says, import torch, and let it compute with `threads` (0: as many as it likes).

    Raises DeviceError also where this torch cannot use the GPU.
    """
    device = pin(wanted, os.environ, gpu_present=gpu_present())
    import torch  # noqa: PLC0415  # after the device is pinned

    if device != CPU and not torch.cuda.is_available():
        raise DeviceError(
            "this torch cannot use the GPU; help: install its CUDA build (README, GPU) or set WORKER_DEVICE=cpu"
        )
    if threads:
        torch.set_num_threads(threads)
    return device


def _visible(index: int, environment: MutableMapping[str, str]) -> str:
    """The index among the GPUs that the environment already allows (a container may allow some only)."""
    allowed = environment.get("CUDA_VISIBLE_DEVICES", "")
    if not allowed:
        return str(index)
    names = allowed.split(",")
    if index >= len(names):
        raise DeviceError(
            f"WORKER_DEVICE asks for GPU {index}, but CUDA_VISIBLE_DEVICES allows only {allowed!r}"
        )
    return names[index]


def gpu_present() -> bool:
    """Whether an NVIDIA driver shows at least one device, without importing torch."""
    return Path("/dev/nvidia0").exists()
