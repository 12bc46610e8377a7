"""The end of one chunk behind the beginning of the next."""

from __future__ import annotations

import threading
from functools import partial

from structlog.testing import capture_logs

from worker.jobs.behind import Behind


def test_pieces_run_one_after_the_other_while_the_giver_goes_on() -> None:
    behind, let, order = Behind(), threading.Event(), list[int]()

    def first() -> None:
        let.wait(30)
        order.append(1)

    behind.run(first)
    assert order == []
    let.set()
    for number in (2, 3):
        behind.run(partial(order.append, number))
    behind.wait()
    assert order == [1, 2, 3]


def test_a_piece_that_fails_is_told_of_and_holds_nobody_up() -> None:
    behind, order = Behind(), list[int]()

    def failing() -> None:
        raise RuntimeError("the queue is away")

    with capture_logs() as logs:
        behind.run(failing)
        behind.run(partial(order.append, 2))
        behind.wait()
    assert order == [2]
    assert [(entry["event"], entry["exc_info"]) for entry in logs] == [("chunk_end_failed", True)]
