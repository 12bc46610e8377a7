"""The constant-arrival generator against a server whose stall is known."""

from __future__ import annotations

import pytest

from bench import closedloop, openloop
from bench.load import Target
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, GONE, REFUSAL


def target(port: int) -> Target:
    return Target(port, "/predict", [b"one", b"two"])


def test_a_stall_is_felt_by_every_request_that_should_have_left_in_it(serve: Serve) -> None:
    server = serve(stall_at=20, stall_seconds=0.5)
    load = openloop.run(target(server.port), rate=100, seconds=1, connections=4)
    # 50 of 100 requests were due in the stall; 46 of them could not even be sent. They waited from 500 ms down to 0.
    assert load.answered == 100
    assert load.max_ms >= 495
    assert load.p99_ms >= 450
    assert load.late >= 40
    assert load.failed == 0


def test_a_closed_loop_would_have_missed_that_stall(serve: Serve) -> None:
    server = serve(stall_at=20, stall_seconds=0.5)
    load = closedloop.run(target(server.port), connections=4, seconds=1.5)
    assert load.max_ms >= 495
    assert load.p99_ms < 495  # four answers in thousands


def test_as_many_requests_leave_as_the_rate_asks_for(serve: Serve) -> None:
    server = serve()
    load = openloop.run(target(server.port), rate=300, seconds=0.5, connections=8)
    assert load.answered == len(server.bodies) == 150
    assert load.rate == 300
    assert load.offered == pytest.approx(300, rel=0.05)
    assert 0 < load.processor_seconds < 0.5
    assert server.bodies.count(b"one") == 75


def test_what_no_connection_was_free_for_is_counted_as_unsent(serve: Serve) -> None:
    server = serve(stall_at=5, stall_seconds=1.5)
    given = target(server.port)
    load = openloop.run(given, rate=100, seconds=0.5, connections=2, patience_seconds=0.1)
    assert load.answered == 5
    assert load.unsent == 43
    assert load.offered == pytest.approx(14, rel=0.2)  # 7 of 50 in half a second
    assert load.refused == {0: 2}
    assert load.failed == 45


@pytest.mark.parametrize(("answer", "status"), [(REFUSAL, 503), (GONE, 0)])
def test_refusals_and_broken_connections_are_counted_by_status(
    serve: Serve, answer: bytes, status: int
) -> None:
    server = serve(lambda n: answer if n % 10 == 3 else ANSWER)
    load = openloop.run(target(server.port), rate=200, seconds=0.5, connections=8)
    assert load.refused == {status: 10}
    assert load.answered == 90
    assert load.unsent == 0


def test_a_target_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match=r"refused|connect"):
        openloop.run(target(1), rate=10, seconds=0.1)


def test_a_request_that_finds_all_connections_busy_gets_a_new_one(serve: Serve) -> None:
    server = serve(stall_at=5, stall_seconds=0.4)
    load = openloop.run(target(server.port), rate=500, seconds=0.4)
    assert load.offered == pytest.approx(500, rel=0.05)  # although nobody answers
    assert load.answered == 200
    assert load.unsent == 0


def test_good_answers_are_in_order_of_their_time(serve: Serve) -> None:
    server = serve(lambda n: REFUSAL if n == 2 else ANSWER)
    loop = openloop.OpenLoop(target(server.port), 100, 0.2, 4)
    loop.run(patience_seconds=1)
    assert loop.answered_at == sorted(loop.answered_at)
    assert len(loop.answered_at) == 19
    assert loop.sent.is_set()


def test_what_was_sent_late_has_as_long_for_its_answer(serve: Serve) -> None:
    server = serve(stall_at=0, stall_seconds=0.5)
    load = openloop.run(target(server.port), 100, 0.1, connections=1, patience_seconds=0.45)
    assert load.answered == 10  # nine of them left 0.4 s after the time was over
    assert load.unsent == 0
    assert load.refused == {}
