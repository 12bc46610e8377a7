"""Who takes part, and who is out and why."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from bench import field as field_module
from bench import stages, wrk
from bench.contestant import Contestant
from bench.field import Field
from bench.peers.answers import MODEL
from bench.peers.echo import EchoClient
from bench.people import People
from bench.plan import QUICK
from bench.samples import Notebook
from bench.supply import Supply
from ml.registry import load
from scripts.part import Part
from scripts.ports import free_port


@pytest.fixture
def field() -> Iterator[Field]:
    said: list[str] = []
    made = Field(Supply(People(30)), lambda drawn: [70] * len(drawn.bodies), said.append)
    yield made
    made.stop()


def small(name: str, confidence: int = 70) -> Contestant:
    port = free_port(0)
    command = [sys.executable, "-m", "tests.bench.small_server", str(port), str(confidence)]
    return Contestant(name, name.title(), "1", [Part(f"bench-test-{name}", command)], port, "")


def stands_still(contestant: Contestant, expected: bool) -> bool:
    """Whether it does, once the signal has arrived."""
    process = contestant.parts[0].process
    assert process is not None
    for _ in range(200):
        if (psutil.Process(process.pid).status() == psutil.STATUS_STOPPED) is expected:
            break
        time.sleep(0.01)
    return bool(psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)


def test_one_that_answers_otherwise_than_the_scorer_is_out(field: Field) -> None:
    field.enter(small("near", 71))  # a history has aged while its contestant started
    field.enter(small("liar", 72))
    assert set(field.running) == {"near"}
    assert "where the scorer says 70" in field.out["liar"]


def test_only_who_has_the_turn_runs(field: Field) -> None:
    one, two = small("one"), small("two")
    field.enter(one)
    field.enter(two)
    with field.turn("one") as running:
        assert running is one
        assert not stands_still(one, expected=False)
        assert stands_still(two, expected=True)
    assert stands_still(one, expected=True)


def test_what_fails_in_its_turn_is_out_and_the_rest_goes_on(field: Field) -> None:
    field.enter(small("weak"))
    field.enter(small("strong"))
    with field.turn("weak"):
        raise OSError("it broke")
    assert field.out == {"weak": "it broke"}
    with field.turn("weak") as running:
        assert running is None
    with field.turn("strong") as running:
        assert running is not None


def test_who_does_not_wake_up_is_out(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(field_module, "BACK_SECONDS", 0.1)
    weak = small("weak")
    field.enter(weak)
    assert weak.parts[0].process is not None
    weak.parts[0].process.kill()
    with field.turn("weak") as running:
        assert running is None
    assert "weak" in field.out


def test_an_echo_that_is_silent_stops_nobody_elses_measurement(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrk, "installed", lambda: None)
    field.enter(small("service"))
    short = dataclasses.replace(QUICK, load_seconds=0.1, one_seconds=0.1, warm_seconds=0.1)
    plan = dataclasses.replace(short, contestants=("service",), connections=2)
    notes = Notebook()
    nobody = EchoClient("redis://127.0.0.1:1/0")
    stages.throughput(field, plan, notes, nobody, load(MODEL), People(3))
    assert "p50_one_ms/echo" not in notes.samples
    for name in ("rate/service", "p50_one_ms/service", "scorer_one_ms"):
        assert len(notes.samples[name]) == QUICK.rounds


def test_no_round_begins_when_the_time_is_over(field: Field) -> None:
    assert list(field.rounds("something", 3)) == [0, 1, 2]
    seen = []
    for number in field.rounds("something", 3):
        seen.append(number)
        field.end = time.monotonic()
    assert seen == [0]


def test_a_mistake_of_our_own_is_nobodys_fault(field: Field) -> None:
    field.enter(small("one"))
    with pytest.raises(KeyError), field.turn("one"):
        raise KeyError


def test_the_open_loops_stages_take_down_one_value_a_round(
    field: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrk, "installed", lambda: None)  # wrk measures whole seconds
    field.enter(small("service"))
    notes = Notebook()
    short = dataclasses.replace(QUICK, open_seconds=0.2, warm_seconds=0.1, load_seconds=0.1)
    curve = {"curve_rates": (50, 100), "curve_seconds": 0.2, "curve_of": ("service",)}
    plan = dataclasses.replace(short, **curve)  # type: ignore[arg-type]
    stages.headline(field, plan, notes)
    assert len(notes.samples["open_p99_ms/service"]) == QUICK.open_rounds
    points = stages.curve(field, plan)
    assert [(point["name"], point["rate"]) for point in points] == [
        ("service", 50),
        ("service", 100),
    ]
    stages.batches(field, plan, notes)
    assert notes.samples["patterns/batch"][0] > 0
