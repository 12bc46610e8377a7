"""What the shipped model says of 100,000 arbitrary sessions, as bytes, so that processes can be compared."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ml import registry
from ml.scorer import Scorer
from ml.sessions import Sessions
from tests.ml.any_sessions import any_sessions

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "production" / "model.pth"
PARTS = 10
ROWS = 10_000  # a part; all of it at once would take gigabytes
LONGEST = 50


def parts() -> Iterator[Sessions]:
    """The sessions, the same in every process."""
    for part in range(PARTS):
        yield any_sessions(ROWS, LONGEST, np.random.default_rng(part))


def judge(scorer: Scorer, sessions: Sessions) -> NDArray[np.float64]:
    """What decides about a session (B, 3): its probability, its confidence and its anomaly score."""
    scores = scorer.score(sessions)
    return np.column_stack([scorer.probability(sessions), scores.confidence, scores.anomaly])


def main() -> None:
    """Print the SHA-256 of all judgements. Arguments: device, threads, rows in a batch."""
    device, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    scorer = registry.load(MODEL, device)
    total = hashlib.sha256()
    for sessions in parts():
        for start in range(0, ROWS, batch):
            total.update(judge(scorer, sessions[start : start + batch]).tobytes())
    print(total.hexdigest())


if __name__ == "__main__":
    main()
