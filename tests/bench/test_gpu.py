"""The measurement of a GPU, as far as a machine without one can tell."""

from __future__ import annotations

import sys
from functools import partial

import pytest
import torch

from bench import gpu


def test_the_same_runs_on_the_processor_without_shares() -> None:
    torch.set_num_threads(1)
    found = gpu.measure("cpu", (1, 64), seconds=0.0)
    assert [one.batch for one in found] == [1, 64]
    assert all(one.patterns_a_second > 0 for one in found)
    assert {one.kernels for one in found} == {None}


def test_a_devices_time_is_split_into_kernels_and_copies() -> None:
    events = [("gemm", 30.0), ("Memcpy HtoD", 15.0), ("relu", 10.0), ("Memset (Device)", 5.0)]
    assert gpu.split(events, 100.0) == (0.4, 0.2)
    assert gpu.split([], 100.0) == (0.0, 0.0)


def test_the_profilers_events_are_read_as_a_gpus_would_be() -> None:
    rows = torch.rand(64, 64)
    kernels, copies = gpu.device_shares(lambda: rows @ rows, "CPU")
    assert kernels > 0
    assert copies == 0


def test_the_command_measures_on_the_processor_where_it_is_asked_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--device", "cpu"])
    monkeypatch.setattr(gpu, "measure", partial(gpu.measure, batches=(1, 16), seconds=0.0))
    assert gpu.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["1", "16"]


def test_what_is_neither_stands_in_the_last_column() -> None:
    text = gpu.table([gpu.Measured(64, 1234.5, 0.4, 0.2), gpu.Measured(128, 2000.0)])
    assert "| 64 | 1,234 | 40% | 20% | 40% |" in text
    assert "| 128 | 2,000 | | | |" in text
    assert {line.count("|") for line in text.splitlines()} == {6}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_the_message_says_what_to_try(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.gpu"])
    assert gpu.main() == 1
    assert "--device cpu" in capsys.readouterr().err
