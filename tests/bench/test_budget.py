"""What the stages are given; tests/benchmarks calls each of them."""

from __future__ import annotations

import pytest

from bench.budget_front import message, reader
from bench.budget_worker import _rich_sessions, _sessions
from worker.contract import WIRE_VERSION


def test_the_message_is_one_of_this_wire() -> None:
    asked = message(2)
    assert asked["v"] == WIRE_VERSION
    assert [len(row) >= 4 for row in asked["rows"]] == [True, True]


def test_a_body_is_read_to_a_row() -> None:
    assert reader() is not reader()
    assert message(1)["rows"] == message(2)["rows"][:1]


@pytest.mark.parametrize("size", [1, 3])
def test_only_the_rich_sessions_have_statistics(size: int) -> None:
    plain, rich = _sessions(size), _rich_sessions(size)
    for given in (plain, rich):
        assert given.current.shape == (size, 4)
        assert given.history.shape == (size, 10, 4)
    assert plain.derived is None
    assert rich.derived is not None
