"""How long the evidence of 64 rich sessions takes beside the network's Shapley pass, on one core of this machine.

Run: OMP_NUM_THREADS=1 python -m tests.ml.measure_evidence
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from ml import registry
from ml.aalto import aalto
from ml.evidence import Evidence
from ml.explain import Explainer
from ml.sessions import Sessions
from ml.synthetic import people
from tests.ml.judgements import MODEL

ROWS = 64
RUNS = 200


def least_ms(call: Callable[[], object]) -> float:
    """The least processor time of 200 runs after a first one: what a busy neighbour disturbed does not count."""
    call()
    taken = []
    for _ in range(RUNS):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    return 1000 * min(taken)


def rich_sessions(longest: int, rng: np.random.Generator) -> Sessions:
    """64 synthetic sessions, each with a full history of rich patterns."""
    table = people(aalto(), np.full(ROWS, longest + 1), rng)
    features = table.features.reshape(ROWS, longest + 1, 4)
    derived = table.derived_rows().reshape(ROWS, longest + 1, -1)
    counts = np.full(ROWS, longest)
    return Sessions(features[:, 0], features[:, 1:], counts, derived[:, 0], derived[:, 1:])


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    scorer = registry.load(MODEL)
    scorer.warm_up()
    model = scorer.model
    evidence = Evidence(model.population, model.tails, model.rich)
    channels = rng.normal(0, 3, (ROWS, 6))
    explainer = Explainer(model.network, "cpu")
    print("| 64 rows, one core | ms |\n| --- | --- |")
    print(
        f"| Shapley pass of the network | {least_ms(lambda: explainer.importance(channels)):.2f} |"
    )
    for longest in (10, 50):
        rich = rich_sessions(longest, rng)
        plain = Sessions(rich.current, rich.history, rich.counts)
        for name, given in (("rich", rich), ("four numbers", plain)):

            def call(sessions: Sessions = given) -> object:
                return evidence.channels(sessions)

            print(f"| evidence, {name}, history of {longest} | {least_ms(call):.2f} |")


if __name__ == "__main__":
    main()
