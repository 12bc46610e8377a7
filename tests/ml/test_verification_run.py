from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ml import attacked
from ml.cuts import joined
from ml.scorer import Scorer
from ml.verification_run import Study, study_of, study_of_table, verify
from tests.ml.any_typing import any_typing, events_of
from tests.ml.attacked_service import service_of
from tests.ml.rich_crowd import rich_crowd


@pytest.fixture(scope="module")
def typed() -> Study:
    """Six people with 16 sessions of 40 keys."""
    rng = np.random.default_rng(0)
    events = events_of({(p, s): any_typing(40, rng) for p in range(6) for s in range(16)})
    return study_of("typed", events, None, "sentence", False)


def test_a_study_of_events_has_rows_curves_attacks_and_pictures(
    shipped: Scorer, typed: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attacked, "YOUNG", ())  # for the test's time
    ticks: list[None] = []
    outcome = verify(
        shipped,
        typed,
        patterns=10,
        seed=0,
        resamples=5,
        service=service_of(shipped),
        curves=True,
        tick=lambda: ticks.append(None),
    )
    found = outcome.report
    assert json.loads(json.dumps(found)) == found
    assert {"four_one", "rich_one", "four_five", "rich_window"} <= set(found["rows"])
    assert list(found["history_lengths"]) == [f"rich_history_{n}" for n in (1, 3, 5, 10)]
    assert list(found["keys_typed"]) == [f"rich_keys_{n}" for n in (1, 2, 3, 5)]
    assert set(found["attacks"]) == {"four", "rich"}
    assert found["attacks"]["rich"]["replay_exact"]["value"] == 0.0
    assert "upkeep_eer" in found["attacks"]["four"]
    assert {"replay_whole", "replay_mistaken_whole_50"} <= set(found["attacks"]["four"])
    assert len(ticks) > 20
    drawn = sorted(path.name for path in outcome.draw(tmp_path))
    assert drawn == sorted(path.name for path in tmp_path.iterdir())
    assert len(drawn) == 5


def test_a_table_of_sessions_has_the_rows_that_it_allows(
    shipped: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attacked, "YOUNG", ())
    study = study_of_table("logins", rich_crowd(20, 8, np.random.default_rng(1)))
    found = verify(
        shipped, study, patterns=5, seed=0, resamples=5, service=service_of(shipped)
    ).report
    assert list(found["rows"]) == ["four_one", "rich_one"]
    assert found["attacks"]["rich"]["poisoning"]["people"] > 0
    assert "upkeep_eer" not in found["attacks"]["rich"]  # nobody has enough sessions
    assert 47 <= found["without_history"]["least_confidence"] <= 50


def test_a_study_too_small_says_what_is_missing(shipped: Scorer) -> None:
    study = study_of_table("logins", rich_crowd(20, 8, np.random.default_rng(1)))
    said = "logins: 0 people with 8 sessions of history and one later; 2 are needed; help: a lower --enrol"
    with pytest.raises(ValueError, match=said):
        verify(shipped, study, patterns=8, seed=0)


def test_a_study_of_short_sessions_says_how_many_make_one() -> None:
    rng = np.random.default_rng(0)
    short = events_of({(p, s): any_typing(11, rng) for p in range(3) for s in range(8)})
    with pytest.raises(ValueError, match=r"passwords\.csv: 0 people have .* help: --join 2 takes"):
        study_of("passwords.csv", short, None, "session", True)
    assert len(study_of("passwords.csv", joined(short, 4), None, "session", True).table) == 6


def test_too_few_people_are_not_guessed_at_by_each_other(shipped: Scorer) -> None:
    study = study_of_table("logins", rich_crowd(12, 8, np.random.default_rng(1)).plain())
    found = verify(
        shipped, study, patterns=5, seed=0, resamples=5, service=service_of(shipped)
    ).report
    assert "population_guess" not in found["attacks"]["four"]
    assert "replay_exact" in found["attacks"]["four"]
    assert {f"poisoning_from_{n}" for n in (1, 2, 4)} <= set(found["attacks"]["four"])
