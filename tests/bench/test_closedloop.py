"""The closed loop."""

from __future__ import annotations

import pytest

from bench import closedloop
from bench.load import Target
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, GONE, REFUSAL


def test_every_answer_is_counted_and_the_bodies_go_round(serve: Serve) -> None:
    server = serve()
    load = closedloop.run(Target(server.port, "/", [b"a", b"b", b"c"]), 4, 0.2)
    assert load.answered == len(server.bodies) > 10
    assert {b"a", b"b", b"c"} == set(server.bodies)
    assert 0 < load.p50_ms <= load.p99_ms <= load.max_ms
    assert load.failed == 0


def test_one_connection_has_one_request_under_way(serve: Serve) -> None:
    server = serve(stall_at=3, stall_seconds=0.3)
    load = closedloop.run(Target(server.port, "/", [b"a"]), 1, 0.2)
    assert load.answered == len(server.bodies) == 4


@pytest.mark.parametrize(("answer", "status"), [(REFUSAL, 503), (GONE, 0)])
def test_what_is_refused_or_broken_off_is_no_answer(
    serve: Serve, answer: bytes, status: int
) -> None:
    server = serve(lambda n: ANSWER if n % 2 else answer)
    load = closedloop.run(Target(server.port, "/", [b"a"]), 2, 0.2)
    assert load.refused.keys() == {status}
    assert load.answered + load.refused[status] == len(server.bodies)
    assert load.rate == pytest.approx(load.answered / load.seconds)
