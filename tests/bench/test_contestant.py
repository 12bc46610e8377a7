"""A contestant's processes: started, paused, resumed, ended with all their children."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from bench.contestant import Contestant, version_here, version_in
from scripts.part import CannotRunError, Part
from scripts.ports import free_port

Make = Callable[..., Contestant]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Contestant] = []

    def contestant(*command: str, version: str | None = "1", envelope: bytes = b"%b") -> Contestant:
        port = free_port(0)
        small = (sys.executable, "-m", "tests.bench.small_server", str(port), "70")
        part = Part(f"bench-test-{len(made)}", list(command or small))
        found = Contestant("small", "Small", version, [part], port, "", envelope=envelope, help="x")
        made.append(found)
        return found

    yield contestant
    for one in made:
        one.stop()


def process_of(contestant: Contestant) -> psutil.Process:
    process = contestant.parts[0].process
    assert process is not None
    return psutil.Process(process.pid)


def test_it_is_started_when_it_answers_and_gone_when_it_is_stopped(make: Make) -> None:
    small = make()
    assert small.ask(b"{}") == (0, None)
    small.start(b"{}")
    assert small.ask(b'{"n": 1}') == (200, {"confidence_score": 70, "asked": {"n": 1}})
    small.stop()
    assert small.ask(b"{}") == (0, None)


def test_the_envelope_stands_around_every_body(make: Make) -> None:
    small = make(envelope=b'{"requests":[%b]}')
    small.start(b"{}")
    assert small.ask(b'{"n": 1}')[1][0]["asked"] == {"requests": [{"n": 1}]}
    assert small.target([b"1", b"2"]).bodies == [b'{"requests":[1]}', b'{"requests":[2]}']


def test_a_paused_one_stands_still_until_it_is_resumed(make: Make) -> None:
    small = make()
    small.start(b"{}")
    small.pause()
    for _ in range(200):
        if process_of(small).status() == psutil.STATUS_STOPPED:
            break
        time.sleep(0.01)
    assert process_of(small).status() == psutil.STATUS_STOPPED
    small.resume()
    assert small.ask(b"{}")[0] == 200


def test_a_paused_one_can_be_ended(make: Make) -> None:
    small = make()
    small.start(b"{}")
    small.pause()
    process = process_of(small)
    small.stop()
    assert not process.is_running()


def test_what_is_not_installed_says_how_to_get_it(make: Make) -> None:
    with pytest.raises(CannotRunError, match="not installed; help: x"):
        make(version=None).start(b"{}")


def test_one_that_dies_at_its_start_leaves_its_last_words(make: Make) -> None:
    dead = make(sys.executable, "-c", "raise SystemExit('no licence')")
    with pytest.raises(CannotRunError, match="no licence"):
        dead.start(b"{}")


def test_versions_are_those_that_the_interpreter_would_import() -> None:
    assert version_here("fastapi") == version_in(sys.executable, "fastapi") != None  # noqa: E711
    assert version_here("no-such-thing") is None
    assert version_in("/no/such/python", "fastapi") is None
