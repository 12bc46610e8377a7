"""What each stage of a request costs, in processor time: `make bench-stages`. Else each is called once, lest it rots.

Nothing here is held against a bound: the next run stands beside the last one, and shows which stage moved.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

pytest.importorskip("pytest_benchmark", reason="help: pip install -e '.[dev]'")
from pytest_benchmark.fixture import BenchmarkFixture

from bench.budget_front import front_stages, request_stages
from bench.budget_worker import worker_stages

ALONE = (
    "limit: one client's two limits",
    "parse, validate, hash the DID",
    "respond: metrics and bytes of the answer",
)
TOGETHER = (
    "dispatch: the message's bytes",
    "decode: the message's bytes read",
    "history: ten records read",
    "history: set beside the rows",
    "evidence",
    "evidence of rich sessions",
    "network: probability, from evidence on",
    "network: the autoencoder's anomaly",
    "Shapley: exact importances",
    "the scorer's whole work",
    "answer: replay, update and decision judged",
    "answer: worded",
    "encode: the reply's bytes",
    "await: the reply's bytes read",
)
ROWS = (1, 32)  # alone, and in the company of a loaded service

stages_of_a_request = cache(request_stages)


@cache
def stages_of_a_message(size: int) -> dict[str, Callable[[], object]]:
    return front_stages(size) | worker_stages(size)


@pytest.fixture
def timer(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> BenchmarkFixture:
    """Measures where it is asked to."""
    benchmark.disabled = not request.config.getoption("benchmark_enable")
    return benchmark


@pytest.mark.parametrize("stage", ALONE)
def test_what_every_request_has_for_itself(timer: BenchmarkFixture, stage: str) -> None:
    timer.group = "one request"
    timer(stages_of_a_request()[stage])


@pytest.mark.parametrize("size", ROWS)
@pytest.mark.parametrize("stage", TOGETHER)
def test_what_a_message_costs(timer: BenchmarkFixture, stage: str, size: int) -> None:
    timer.group = f"message of {size}"
    timer(stages_of_a_message(size)[stage])


def test_no_stage_is_left_out() -> None:
    assert set(ALONE) == set(stages_of_a_request())
    assert set(TOGETHER) == set(stages_of_a_message(1))
