from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ml import registry
from ml.aalto import aalto
from ml.dataset import SessionTable
from ml.metrics import Scored, rates
from ml.model import Model
from ml.retraining import MIN_HELD_OUT, Proposal, objection, propose
from ml.scorer import Scorer
from ml.sessions import Sessions
from ml.synthetic import people
from tests.ml.any_sessions import any_sessions
from tests.ml.other_house import other_house


@pytest.fixture(scope="module")
def proposal(shipped: Scorer) -> Proposal:
    return propose(other_house(), shipped, version="1.0.1", seed=2, epochs=2)


def test_own_people_of_another_kind_make_a_better_model(proposal: Proposal) -> None:
    assert proposal.promote is True
    assert proposal.candidate_figures["eer"] <= proposal.current_figures["eer"]
    assert proposal.candidate_figures["users"] == proposal.current_figures["users"] >= 50
    assert proposal.floor_figures == {}
    assert proposal.why == "not worse than the current model on held-out users"
    assert proposal.model.version == "1.0.1"


def test_a_proposal_can_be_saved_and_loaded(
    proposal: Proposal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("promoted") / "model.pth"
    registry.save(proposal.model, path, proposal.manifest)
    entries = registry.manifest(path)
    assert entries.data["own_users"] == 220
    assert entries.figures["held_out_own_users"] == proposal.candidate_figures
    assert 0 <= entries.thresholds["equal_error"]["confidence"] <= 100
    assert registry.load(path).model_version == "1.0.1"


def test_the_current_model_is_left_as_it_is(shipped: Scorer) -> None:
    sessions = any_sessions(20, 10, np.random.default_rng(1))
    before = shipped.probability(sessions)
    propose(other_house(), shipped, version="1.0.1", epochs=1)
    assert np.array_equal(shipped.probability(sessions), before)


def test_too_few_held_out_users_propose_nothing_and_say_why(shipped: Scorer) -> None:
    few = other_house()
    outcome = propose(few.rows(few.user < 100), shipped, version="1.0.1")
    assert outcome.promote is False
    assert outcome.why.startswith("100 users with 4 sessions leave ")
    assert outcome.why.endswith(f"to be held out, {MIN_HELD_OUT} are needed")
    assert outcome.model is shipped.model


def test_users_with_too_few_sessions_do_not_count(shipped: Scorer) -> None:
    table = other_house()
    short = table.rows((table.user < 5) | (np.arange(len(table)) % 12 < 3))
    assert propose(short, shipped, version="1.0.1").why.startswith("5 users")


def test_nobody_proposes_nothing(shipped: Scorer) -> None:
    table = other_house()
    nobody = table.rows(table.user < 0)
    assert propose(nobody, shipped, version="1.0.1").why.startswith("0 users")


def test_the_same_users_are_held_out_whatever_the_seed_and_whoever_else_is_there(
    shipped: Scorer,
) -> None:
    table = other_house()
    more = people(aalto(), np.full(20, 12), np.random.default_rng(3))
    joined = SessionTable(
        np.concatenate([table.user, more.user + 1_000]),
        np.concatenate([table.unix_seconds, more.unix_seconds]),
        np.concatenate([table.features, more.features]),
    )
    taken = []
    for own, seed in ((table, 0), (table, 9), (joined, 9)):
        current = Witness(shipped.model)
        propose(own, current, version="1.0.1", seed=seed, epochs=1)
        taken.append(current.seen)
    assert taken[0] == taken[1] < taken[2]


class Witness(Scorer):
    """A scorer that remembers the newest patterns of the histories it was asked about."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.seen: set[bytes] = set()

    def probability(self, sessions: Sessions) -> NDArray[np.float64]:
        self.seen |= {row.tobytes() for row in sessions.history[:, 0]}
        return super().probability(sessions)


class Omniscient(Scorer):
    """A scorer that was told who typed what."""

    def __init__(self, model: Model, table: SessionTable) -> None:
        super().__init__(model)
        rows = zip(table.features, table.user, strict=True)
        self._typist = {row.tobytes(): user for row, user in rows}

    def probability(self, sessions: Sessions) -> NDArray[np.float64]:
        pairs = zip(sessions.current, sessions.history[:, 0], strict=True)
        same = [self._typist[a.tobytes()] == self._typist[b.tobytes()] for a, b in pairs]
        return np.where(same, 0.99, 0.01)


def test_a_candidate_that_is_better_than_the_current_model_but_not_than_the_floor_is_refused(
    shipped: Scorer,
) -> None:
    own = other_house()
    floor = Omniscient(shipped.model, own)
    held = propose(own, shipped, version="1.0.1", floor=floor, seed=2, epochs=2)
    assert held.candidate_figures["eer"] < held.current_figures["eer"]
    assert held.floor_figures["eer"] == 0.0
    assert held.promote is False
    assert "the shipped model's" in held.why


def test_a_candidate_that_is_better_than_current_model_and_floor_names_both(
    shipped: Scorer,
) -> None:
    taken = propose(other_house(), shipped, version="1.0.1", floor=shipped, seed=2, epochs=2)
    assert taken.promote is True
    assert taken.why == "not worse than the current and the shipped model on held-out users"
    assert taken.floor_figures == taken.current_figures


def scored(shift: float, users: int = 80, seed: int = 0, scale: float = 1.0) -> Scored:
    """Comparisons of 80 users, 20 each; the greater the shift, the better they are told apart."""
    rng = np.random.default_rng(seed)
    genuine = np.tile(np.arange(20) < 10, users)
    evidence = rng.normal(0.0, 1.0, len(genuine)) + np.where(genuine, shift, -shift)
    probability = 1.0 / (1.0 + np.exp(-2.0 * shift * scale * evidence))
    return Scored(probability, genuine, np.repeat(np.arange(users), 20))


def test_a_better_candidate_and_an_equal_one_meet_no_objection() -> None:
    assert objection(scored(1.2), scored(1.0), "current") is None
    assert objection(scored(1.0), scored(1.0), "current") is None


def test_a_candidate_that_is_worse_by_less_than_the_margin_is_refused_all_the_same() -> None:
    worse, current = scored(0.995), scored(1.0)
    assert 0.0 < rates(worse).eer - rates(current).eer < 0.005
    why = objection(worse, current, "shipped")
    assert why is not None
    assert why.startswith("EER on held-out users would differ from the shipped model's by +0.")


def test_a_candidate_that_is_better_by_chance_only_is_refused() -> None:
    draws = [(scored(1.0, seed=seed), scored(1.0, seed=100 + seed)) for seed in range(20)]
    lucky = [(one, two) for one, two in draws if -0.004 < rates(one).eer - rates(two).eer < 0.0]
    assert lucky
    for one, two in lucky:
        assert objection(one, two, "current") is not None


def test_a_candidate_that_says_more_than_it_knows_is_refused() -> None:
    boastful, current = scored(1.0, scale=4.0), scored(1.0)
    assert rates(boastful).eer == rates(current).eer
    why = objection(boastful, current, "current")
    assert why is not None
    assert why.startswith("calibration error on held-out users would be 0.")
    assert objection(boastful, boastful, "current") is None
