"""One score for one session: in any company, in any order, with any number of threads, in any process.

Compared bit for bit, which is stricter than the integer that leaves the service.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ml.scorer import Scorer
from tests.ml.judgements import MODEL, PARTS, ROOT, ROWS, judge, parts

pytestmark = pytest.mark.timeout(900)
ALONE = (
    20_000  # one by one costs ten times what it costs together; batches of any size see all of them
)


def in_another_process(device: str, threads: int, batch: int) -> str:
    command = [sys.executable, "-m", "tests.ml.judgements", device, str(threads), str(batch)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return ended.stdout.strip()


@pytest.fixture(scope="module")
def expected(shipped: Scorer) -> list[NDArray[np.float64]]:
    """In this process, one thread as in a worker, all rows of a part at once: its judgements (ROWS, 3)."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    found = [judge(shipped, sessions) for sessions in parts()]
    torch.set_num_threads(threads)
    return found


def test_sessions_one_by_one_score_as_they_do_together(
    shipped: Scorer, expected: list[NDArray[np.float64]]
) -> None:
    differing = compared = 0
    for sessions, together in islice(zip(parts(), expected, strict=True), ALONE // ROWS):
        for row in range(ROWS):
            history = sessions.history[row : row + 1, : sessions.counts[row]]  # without padding
            alone = type(sessions)(
                sessions.current[row : row + 1], history, sessions.counts[row : row + 1]
            )
            differing += shipped.probability(alone)[0] != together[row, 0]
            compared += 1
    assert compared == ALONE
    assert differing == 0


def test_a_hundred_thousand_sessions_in_any_order_and_any_batch_size_keep_their_scores(
    shipped: Scorer, expected: list[NDArray[np.float64]]
) -> None:
    draw = np.random.default_rng(99)
    assert PARTS * ROWS >= 100_000
    for sessions, together in zip(parts(), expected, strict=True):
        order = draw.permutation(ROWS)
        start = 0
        while start < ROWS:
            chosen = order[start : start + int(draw.integers(1, 257))]
            assert judge(shipped, sessions[chosen]).tobytes() == together[chosen].tobytes()
            start += len(chosen)


def test_another_process_with_other_threads_and_batches_says_the_same_of_all(
    expected: list[NDArray[np.float64]],
) -> None:
    total = hashlib.sha256(b"".join(each.tobytes() for each in expected))
    assert in_another_process("cpu", threads=4, batch=1000) == total.hexdigest()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_the_same_integers() -> None:
    from ml.registry import load

    cpu, gpu = load(MODEL), load(MODEL, "cuda:0")
    for sessions in parts():
        difference = cpu.score(sessions).confidence != gpu.score(sessions).confidence
        assert not difference.any()
