"""The whole harness in small: real processes, seconds instead of minutes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from bench import wrk
from bench.field import SETTLE_SECONDS
from bench.peers import lineup
from bench.pictures import draw
from bench.plan import EVERYBODY, FULL, QUICK
from bench.run import entries, measure
from bench.service import RedisPart
from bench.table import page

SMALL = dataclasses.replace(
    QUICK,
    name="full",  # which names what was not measured, too
    contestants=("service", "mosec", "in_process"),
    rounds=1,
    load_seconds=0.3,
    one_seconds=0.3,
    warm_seconds=0.2,
    connections=4,
    open_rounds=1,
    open_seconds=0.3,
    scorer_rounds=1,
    scorer_batches=(64,),
    start_rounds=1,
)


@pytest.mark.e2e
def test_a_small_run_measures_who_runs_and_reports_who_does_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(wrk, "installed", lambda: None)
    monkeypatch.setattr(lineup, "version_here", lambda name: None)
    said: list[str] = []
    document = json.loads(json.dumps(measure(SMALL, said.append), allow_nan=False))
    out = {entry["name"]: entry["out"] for entry in document["contestants"]}
    assert out["service"] == out["in_process"] == ""
    assert out["mosec"].startswith("not installed; help: make bench")
    figures = {entry["name"]: entry for entry in document["figures"]}
    assert figures["`POST /predict`, 64 connections"]["median"] > 0
    assert figures["the same against FastAPI, model in process"]["median"] > 0
    assert figures["the same against Mosec"]["median"] is None
    assert figures["API, start to first answer"]["median"] > 0
    assert figures["worker, start to first answer"]["median"] > 0
    assert document["samples"]["failed_64/service"] == [0]
    assert 0 < figures["its requests that entered a history"]["median"] < 100
    assert "docker build" in figures["API, its image"]["open"]
    assert "not measured: not installed" in page(document)
    assert figures["pause of answers while a model is reloaded"]["median"] is None
    draw(document, tmp_path)
    assert (tmp_path / "throughput.png").exists()


def test_the_full_plan_has_everybody_who_can_be_made(tmp_path: Path) -> None:
    made = entries(FULL, RedisPart("test", tmp_path), tmp_path)
    assert tuple(contestant.name for contestant in made) == EVERYBODY
    assert len({contestant.port for contestant in made}) == len(EVERYBODY)
    assert all(contestant.about for contestant in made)


@pytest.mark.parametrize("plan", [FULL, QUICK])
def test_every_plan_alternates_and_measures_the_service(plan: object) -> None:
    given = dataclasses.asdict(plan)  # type: ignore[call-overload]
    assert given["contestants"][0] == "service"
    assert given["rounds"] >= 2
    assert set(given["curve_of"]) <= set(given["contestants"])


def test_a_bench_ends_in_15_minutes_and_a_quick_one_in_2() -> None:
    for plan, most_seconds in ((FULL, 900.0), (QUICK, 120.0)):
        each = plan.warm_seconds + plan.load_seconds + plan.one_seconds + SETTLE_SECONDS
        assert plan.most_seconds + len(plan.contestants) * each < most_seconds
