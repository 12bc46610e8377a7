"""Pinning a worker to its device."""

from __future__ import annotations

import subprocess
import sys

import pytest

PIN = (
    "import os, sys\n"
    "from worker.device import pin, DeviceError\n"
    "try:\n"
    "    device = pin(sys.argv[1], os.environ, gpu_present=sys.argv[2] == 'gpu')\n"
    "    print(device, os.environ.get('CUDA_VISIBLE_DEVICES'), 'torch' in sys.modules)\n"
    "except DeviceError as error:\n"
    "    print('refused:', error)\n"
)


def pinned(wanted: str, driver: str, visible: str | None = None) -> str:
    """What a fresh process says; this one may have torch imported already."""
    environment = {"PATH": "", "PYTHONPATH": "."}
    if visible is not None:
        environment["CUDA_VISIBLE_DEVICES"] = visible
    seen = subprocess.run(
        [sys.executable, "-c", PIN, wanted, driver],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return seen.stdout.strip()


@pytest.mark.parametrize(
    ("wanted", "driver", "visible", "expected"),
    [
        ("", "none", None, "cpu  False"),
        ("", "gpu", None, "cuda:0 0 False"),
        ("cpu", "gpu", None, "cpu  False"),
        ("cuda", "gpu", None, "cuda:0 0 False"),
        ("cuda:1", "gpu", None, "cuda:0 1 False"),
        ("2", "gpu", None, "cuda:0 2 False"),
        ("1", "gpu", "4,6", "cuda:0 6 False"),
        ("0", "gpu", "GPU-8f2a", "cuda:0 GPU-8f2a False"),
    ],
)
def test_a_process_sees_only_the_device_that_it_was_given(
    wanted: str, driver: str, visible: str | None, expected: str
) -> None:
    assert pinned(wanted, driver, visible) == expected


@pytest.mark.parametrize("wanted", ["gpu", "cuda:x", "-1", "cuda:1.5"])
def test_a_device_that_is_none_is_refused_with_the_forms_that_are(wanted: str) -> None:
    answer = pinned(wanted, "gpu")
    assert answer.startswith("refused: WORKER_DEVICE must be cpu, cuda:N or an index N")


def test_a_gpu_that_the_container_does_not_allow_is_refused() -> None:
    assert "allows only '4,6'" in pinned("2", "gpu", "4,6")


def test_pinning_after_torch_was_imported_is_refused() -> None:
    code = "import torch, worker.device as d\nd.pin('cpu', {}, gpu_present=False)"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "torch is imported already" in seen.stderr
