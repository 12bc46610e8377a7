from __future__ import annotations

import numpy as np
import pytest

from ml import registry
from ml.aalto import TypingFigures, aalto
from ml.dataset import SessionTable
from ml.metrics import Scored
from ml.retraining import Proposal, _objection, propose
from ml.scorer import Scorer
from ml.synthetic import people
from tests.ml.any_sessions import any_sessions


def other_house() -> SessionTable:
    """People of another population: slower, and each steadier than the base people are."""
    base = aalto()
    mean = base.mean + np.array([0.3, 0.5, 0.0, 0.0])
    figures = TypingFigures(
        mean, base.between, base.within / 3, base.log_spread_deviation, base.pause_freedom
    )
    return people(figures, np.full(60, 16), np.random.default_rng(8))


@pytest.fixture(scope="module")
def proposal(shipped: Scorer) -> Proposal:
    return propose(other_house(), shipped, version="1.0.1", seed=2, epochs=2)


def test_own_people_of_another_kind_make_a_better_model(proposal: Proposal) -> None:
    assert proposal.promote is True
    assert proposal.candidate_figures["eer"] <= proposal.current_figures["eer"] + 0.005
    assert proposal.candidate_figures["users"] == proposal.current_figures["users"] >= 5
    assert proposal.model.version == "1.0.1"


def test_a_proposal_can_be_saved_and_loaded(
    proposal: Proposal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("promoted") / "model.pth"
    registry.save(proposal.model, path, proposal.manifest)
    entries = registry.manifest(path)
    assert entries.data["own_users"] == 60
    assert entries.figures["held_out_own_users"] == proposal.candidate_figures
    assert 0 <= entries.thresholds["equal_error"]["confidence"] <= 100
    assert registry.load(path).model_version == "1.0.1"


def test_the_current_model_is_left_as_it_is(shipped: Scorer) -> None:
    sessions = any_sessions(20, 10, np.random.default_rng(1))
    before = shipped.probability(sessions)
    propose(other_house(), shipped, version="1.0.1", epochs=1)
    assert np.array_equal(shipped.probability(sessions), before)


def test_too_few_own_users_propose_nothing_and_say_why(shipped: Scorer) -> None:
    few = other_house()
    outcome = propose(few.rows(few.user < 19), shipped, version="1.0.1")
    assert outcome.promote is False
    assert outcome.why == "19 users with 4 sessions, 20 are needed"
    assert outcome.model is shipped.model


def test_users_with_too_few_sessions_do_not_count(shipped: Scorer) -> None:
    table = other_house()
    short = table.rows((table.user < 5) | (np.arange(len(table)) % 16 < 3))
    assert propose(short, shipped, version="1.0.1").why.startswith("5 users")


@pytest.mark.parametrize("name", ["eer", "calibration_error"])
def test_a_worse_candidate_is_refused_and_the_figure_is_named(name: str) -> None:
    current = {"eer": 0.10, "calibration_error": 0.02}
    why = _objection({**current, name: current[name] + 0.05}, current)
    assert why is not None
    assert why.startswith(f"{name} on held-out users would be")
    assert _objection(current, current) is None


def test_figures_of_one_side_only_are_not_needed() -> None:
    scored = Scored(np.array([0.2, 0.9]), np.array([False, True]), np.array([1, 1]))
    assert scored.weights().tolist() == [0.5, 0.5]
