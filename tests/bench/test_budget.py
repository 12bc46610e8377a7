from __future__ import annotations

import time

import pytest

from bench.budget import microseconds, stage_table
from bench.budget_front import front_stages, message
from bench.budget_worker import worker_stages
from worker.contract import WIRE_VERSION


@pytest.mark.parametrize("size", [1, 3])
def test_every_stage_of_a_request_can_be_timed(size: int) -> None:
    stages = [*front_stages(size), *worker_stages(size)]
    named = " ".join(name for name, _, _ in stages)
    for word in ("parse", "validate", "dispatch", "decode", "history", "evidence", "network"):
        assert word in named
    for _, call, patterns in stages:
        assert patterns in {1, size}
        call()
        call()


def test_the_table_has_a_line_for_each_stage_and_a_figure_for_each_size() -> None:
    lines = stage_table((1, 2), seconds=0.0)
    assert len(lines) == 2 + len(front_stages(1)) + len(worker_stages(1))
    assert {line.count("|") for line in lines} == {4}


def test_only_the_processors_time_counts() -> None:
    assert microseconds(lambda: time.sleep(0.02), 0.05) < 20_000


def test_the_message_is_one_of_this_wire() -> None:
    asked = message(2)
    assert asked["v"] == WIRE_VERSION
    assert [len(row) >= 4 for row in asked["rows"]] == [True, True]
