"""One score for one session: in any company, in any order, with any number of threads, in any process.

Compared bit for bit, which is stricter than the integer that leaves the service.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ml.scorer import Scorer
from tests.ml.judgements import MODEL, PARTS, ROOT, ROWS, judge, parts

pytestmark = pytest.mark.timeout(900)  # 100,000 one by one take half a minute on an idle core


def in_another_process(device: str, threads: int, batch: int) -> str:
    command = [sys.executable, "-m", "tests.ml.judgements", device, str(threads), str(batch)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return ended.stdout.strip()


@pytest.fixture(scope="module")
def expected(shipped: Scorer) -> str:
    """In this process, one thread as in a worker, all rows of a part at once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    total = hashlib.sha256()
    for sessions in parts():
        total.update(judge(shipped, sessions).tobytes())
    torch.set_num_threads(threads)
    return total.hexdigest()


def test_a_hundred_thousand_sessions_one_by_one_score_as_they_do_together(shipped: Scorer) -> None:
    differing = compared = 0
    for sessions in parts():
        together = shipped.probability(sessions)
        for row in range(ROWS):
            history = sessions.history[row : row + 1, : sessions.counts[row]]  # without padding
            alone = type(sessions)(
                sessions.current[row : row + 1], history, sessions.counts[row : row + 1]
            )
            differing += shipped.probability(alone)[0] != together[row]
            compared += 1
    assert compared == PARTS * ROWS >= 100_000
    assert differing == 0


def test_in_any_order_and_any_batch_size_each_session_keeps_its_score(shipped: Scorer) -> None:
    draw = np.random.default_rng(99)
    for sessions in parts():
        together = judge(shipped, sessions)
        order = draw.permutation(ROWS)
        start = 0
        while start < ROWS:
            chosen = order[start : start + int(draw.integers(1, 257))]
            assert judge(shipped, sessions[chosen]).tobytes() == together[chosen].tobytes()
            start += len(chosen)


@pytest.mark.parametrize(("threads", "batch"), [(1, 256), (4, 10_000)])
def test_another_process_with_other_threads_and_batches_says_the_same_of_all(
    expected: str, threads: int, batch: int
) -> None:
    assert in_another_process("cpu", threads, batch) == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same_integers() -> None:
    from ml.registry import load

    cpu, gpu = load(MODEL), load(MODEL, "cuda:0")
    for sessions in parts():
        difference = cpu.score(sessions).confidence != gpu.score(sessions).confidence
        assert not difference.any()
