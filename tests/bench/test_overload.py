"""The flood, against a server that stands in for the service."""

from __future__ import annotations

import dataclasses

import pytest

from bench import overload
from bench.contestant import Contestant
from bench.field import Field
from bench.plan import QUICK
from bench.samples import Notebook
from tests.bench.conftest import Serve
from tests.bench.stalling_server import ANSWER, REFUSAL

JSON_ANSWER = ANSWER.replace(b"ok", b"{}")
PLAN = dataclasses.replace(
    QUICK, overload_rounds=1, open_seconds=0.2, load_seconds=0.2, connections=4
)


def field_with(port: int) -> Field:
    field = Field([b"{}"], [50], lambda line: None)
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
    assert found["flood_without_answer"] == 0
    assert found["flood_answered"] + found["flood_refused"] + found[
        "flood_unsent"
    ] == pytest.approx(2 * found["capacity"] * 0.2, abs=1)
    assert found["recovery_s"] >= 0


def test_a_service_that_stays_down_is_out(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "CONNECTIONS", 4)
    monkeypatch.setattr(overload, "GIVE_UP_SECONDS", 0.1)
    server = serve(lambda n: JSON_ANSWER if n < 20 else REFUSAL)
    field = field_with(server.port)
    overload.measure(field, PLAN, Notebook())
    assert "does not answer again" in field.out["service"]
