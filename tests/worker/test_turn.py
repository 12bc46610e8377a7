from __future__ import annotations

from typing import Any, cast

import pytest

from tests.worker.outcomes import outcome
from worker.aftermath import Aftermath
from worker.outcome import Outcome
from worker.scoring import ScoringCore
from worker.turn import Turn


class Bench:
    """A core that takes 3 s for a message and an aftermath that takes 5, by a clock of their own."""

    def __init__(self) -> None:
        self.now = 100.0
        self.written: list[Outcome] = []
        self.after: list[Outcome] = []
        core, aftermath = cast(ScoringCore, self), cast(Aftermath, self)
        self.turn = Turn(core, aftermath, monotonic=lambda: self.now)

    def answer(self, message: dict[str, Any]) -> Outcome:
        if not message:
            raise KeyError("rows")
        self.now += 3
        return outcome(80)

    def write(self, found: Outcome) -> None:
        self.now += 2
        self.written.append(found)

    def finish(self, found: Outcome) -> None:
        self.now += 3
        self.after.append(found)


def test_a_reply_tells_its_own_work_and_what_followed_the_reply_before() -> None:
    bench = Bench()
    told = []
    for _ in range(3):
        found = bench.turn.answer({"v": 1})
        told.append(found.reply["work_seconds"])
        bench.turn.write(found)
        bench.turn.finish(found)
        bench.now += 60  # nobody asks
    assert told == [3.0, 8.0, 8.0]


def test_what_follows_an_answer_gets_its_outcome() -> None:
    bench = Bench()
    found = bench.turn.answer({"v": 1})
    assert (bench.written, bench.after) == ([], [])
    bench.turn.write(found)
    assert (bench.written, bench.after) == ([found], [])
    bench.turn.finish(found)
    assert (bench.written, bench.after) == ([found], [found])


def test_what_is_no_message_is_an_error_with_no_outcome() -> None:
    bench = Bench()
    with pytest.raises(KeyError):
        bench.turn.answer({})
    assert bench.after == []
