"""The flood, against a server that stands in for the service."""

from __future__ import annotations

import dataclasses

import pytest

from bench import overload
from bench.contestant import Contestant
from bench.field import Field
from bench.load import Target, summed_up
from bench.people import People
from bench.plan import QUICK
from bench.samples import Notebook
from bench.supply import Supply
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, REFUSAL

JSON_ANSWER = ANSWER.replace(b"ok", b"{}")
PLAN = dataclasses.replace(
    QUICK, overload_rounds=1, open_seconds=0.2, load_seconds=0.2, connections=4
)


def field_with(port: int) -> Field:
    field = Field(Supply(People(20)), lambda drawn: [], lambda line: None)
    field.running["service"] = Contestant("service", "", "1", [], port, "")
    return field


def test_answers_refusals_and_recovery_are_taken_down(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "CONNECTIONS", 16)
    server = serve(lambda n: REFUSAL if n % 5 == 0 else JSON_ANSWER)
    notes = Notebook()
    overload.measure(field_with(server.port), PLAN, notes)
    found = {name: values[0] for name, values in notes.samples.items()}
    assert found["flood_refused"] > 0
    assert found["flood_lost"] == 0
    assert found["flood_processor_share"] > 0
    assert found["flood_answered"] + found["flood_refused"] + found[
        "flood_unsent"
    ] == pytest.approx(2 * found["capacity"] * 0.2, abs=1)
    assert found["recovery_s"] >= 0
    assert 0 < found["flood_offered"] <= 1


def test_a_service_that_stays_down_after_the_flood_is_an_error(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "GIVE_UP_SECONDS", 0.1)
    target = Target(serve(lambda n: REFUSAL).port, "/", [b"x"] * 9)
    with pytest.raises(OSError, match="does not answer again"):
        overload.flood_and_probe(target, target, 100, 0.2)


def test_a_service_that_refuses_everything_has_no_capacity_to_exceed(serve: Serve) -> None:
    field = field_with(serve(lambda n: REFUSAL if n else JSON_ANSWER).port)
    overload.measure(field, PLAN, Notebook())
    assert "no good answer under load" in field.out["service"]


def test_recovery_counts_from_the_last_intended_request_whoever_still_waits(serve: Serve) -> None:
    server = serve(stall_at=20, stall_seconds=0.6)
    target, probes = Target(server.port, "/", [b"x"]), Target(server.port, "/", [b"probe"])
    load, recovery_seconds = overload.flood_and_probe(target, probes, 100, 0.3)
    assert b"probe" in server.bodies
    assert (
        0.3 < recovery_seconds < 1.0
    )  # the stall began at 0.2 s and ended at 0.8, the flood at 0.3
    assert load.answered == 30


@pytest.mark.parametrize(
    ("status", "name", "count"),
    [
        (504, "flood_lost", 1),
        (503, "flood_refused", 1),
        (500, "flood_lost", 1),
        (0, "flood_lost", 1),
    ],
)
def test_only_a_refusal_or_a_200_is_an_answer(status: int, name: str, count: int) -> None:
    notes = Notebook()
    overload._note(summed_up([1.0], 1.0, {status: 1}), 2.0, notes)
    assert notes.samples[name] == [count]
    assert notes.samples["flood_no_answer"] == [1 if status == 0 else 0]
    assert sum(notes.samples[each][0] for each in ("flood_lost", "flood_refused")) == 1
