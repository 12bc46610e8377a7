from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS_OF_TEN_BATCHES = """
import resource, sys
import numpy as np
from ml.memory import keep_freed

def batch():
    rooms = [np.ones(size) for size in (100_000, 90_000, 80_000, 70_000)]  # 2.7 MB in all

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if sys.argv[1] == "kept":
    keep_freed()
batch()
batch()
before = faults()
for _ in range(10):
    batch()
print(faults() - before)
"""


def faults_of_ten_batches(argument: str) -> int:
    command = [sys.executable, "-c", FAULTS_OF_TEN_BATCHES, argument]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc learns so")
def test_memory_of_a_batch_is_mapped_once_and_not_for_each_batch() -> None:
    assert faults_of_ten_batches("kept") < 100
    assert faults_of_ten_batches("as it comes") > 1_000  # or the trick has become needless
