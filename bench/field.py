"""Who takes part: everybody is started, checked against the scorer itself, and stopped but for its own turn."""

from __future__ import annotations

import http.client
import math
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from bench import closedloop, wrk
from bench.contestant import Contestant
from bench.load import Load, Target
from bench.supply import Drawn, Supply
from scripts.part import CannotRunError

SETTLE_SECONDS: Final = 0.3  # the service's worker renews its sign of life this often
BACK_SECONDS: Final = 15.0  # Ray replaces its proxy when a busy machine wakes it up too slowly
CHECKED: Final = 20
TOLERANCE: Final = (
    1  # a history in Redis ages by seconds until it is asked about; a peer's in memory does not
)
MOST_A_SECOND: Final = (
    12_000  # so many requests are ready for each second of load, so that none is sent twice
)
MOST_A_SECOND_ALONE: Final = 1500
FAILURES: Final = (CannotRunError, OSError, subprocess.SubprocessError)


@dataclass
class Field:
    """The contestants that run, and for each of the others the reason why not."""

    supply: Supply
    expected: Callable[[Drawn], list[int]]  # the confidences of sessions, by the scorer alone
    say: Callable[[str], None]
    end: float = math.inf  # of time.monotonic(): no round begins after it
    running: dict[str, Contestant] = field(default_factory=dict)
    out: dict[str, str] = field(default_factory=dict)
    everybody: list[Contestant] = field(default_factory=list)

    def enter(self, contestant: Contestant) -> None:
        """Start one, or note why it cannot take part."""
        self.everybody.append(contestant)
        self.say(f"starting {contestant.label}")
        try:
            contestant.start(self.body())
            self._check(contestant)
        except FAILURES as error:
            self._drop(contestant, error)
            return
        self.running[contestant.name] = contestant
        contestant.pause()

    def _check(self, contestant: Contestant) -> None:
        """Raises CannotRunError unless it answers as the scorer does."""
        drawn = self.supply.draw(CHECKED)
        for body, expected in zip(drawn.bodies, self.expected(drawn), strict=True):
            status, answer = contestant.ask(body)
            given = _confidence(answer)
            if status != http.client.OK or given is None or abs(given - expected) > TOLERANCE:
                raise CannotRunError(f"answered {status} {answer} where the scorer says {expected}")

    def body(self) -> bytes:
        """One new request."""
        return self.supply.bodies(1)[0]

    def target(self, contestant: Contestant, count: float) -> Target:
        """A contestant, with so many new requests for it."""
        return contestant.target(self.supply.bodies(round(count)))

    def closed_loop(self, contestant: Contestant, connections: int, seconds: float) -> Load:
        """A closed loop of new requests."""
        each = MOST_A_SECOND if connections > 1 else MOST_A_SECOND_ALONE
        target = self.target(contestant, each * max(1.0, seconds))
        return closed_loop(target, connections, seconds)

    @contextmanager
    def turn(self, name: str) -> Iterator[Contestant | None]:
        """The contestant, awake, while all others stand still; None if it is out. What fails in its turn is out."""
        contestant = self.running.get(name)
        if contestant is None:
            yield None
            return
        contestant.resume()
        time.sleep(SETTLE_SECONDS)
        try:
            contestant.await_answer(self.body(), BACK_SECONDS)
        except FAILURES as error:
            self._drop(contestant, error)
            yield None
            return
        try:
            yield contestant
        except FAILURES as error:
            self._drop(contestant, error)
        else:
            contestant.pause()

    def rounds(self, what: str, count: int) -> Iterator[int]:
        """The numbers of the rounds of a stage, as long as there is time for another one."""
        for number in range(count):
            if time.monotonic() > self.end:
                self.say(f"no time is left for {what}")
                return
            self.say(f"{what}, round {number + 1} of {count}")
            yield number

    def stop(self) -> None:
        """End everybody."""
        for contestant in self.everybody:
            contestant.stop()

    def _drop(self, contestant: Contestant, error: Exception) -> None:
        self.running.pop(contestant.name, None)
        reason = str(error) or type(error).__name__
        self.out[contestant.name] = reason
        self.say(f"{contestant.label} is out: {reason}")
        contestant.stop()


def closed_loop(target: Target, connections: int, seconds: float) -> Load:
    """The closed loop of wrk where it is installed, else our own."""
    run = wrk.run if wrk.installed() else closedloop.run
    return run(target, connections, seconds)


def _confidence(answer: Any) -> int | None:
    if isinstance(answer, list) and answer:
        answer = answer[0]
    return answer.get("confidence_score") if isinstance(answer, dict) else None
