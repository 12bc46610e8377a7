"""wrk's output, and wrk itself where it is installed."""

from __future__ import annotations

import pytest

from bench import wrk
from bench.load import Load, Target
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, REFUSAL


def test_microseconds_become_seconds_and_milliseconds() -> None:
    assert wrk.read("Running\nfigures 1000 2000000 10 3 1500 9000 12000\n") == Load(
        2.0, 990, 1.5, 9.0, 12.0, {503: 10, 0: 3}
    )


def test_output_without_figures_is_an_error_with_its_words() -> None:
    with pytest.raises(OSError, match="unable to connect"):
        wrk.read("unable to connect to 127.0.0.1:1\n")


@pytest.mark.skipif(wrk.installed() is None, reason="wrk is not installed")
def test_wrk_sends_every_body_in_turn_and_counts_refusals(serve: Serve) -> None:
    server = serve(lambda n: REFUSAL if n % 2 else ANSWER)
    load = wrk.run(Target(server.port, "/predict", [b"one", b"three"]), 2, 1)
    assert load.answered > 10
    assert load.refused[503] > 10
    assert {b"one", b"three"} == set(server.bodies)
