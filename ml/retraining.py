"""An operator's own people move the model: a candidate is trained, and stands beside the current one on people that
neither was fitted on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.aalto import aalto
from ml.dataset import SessionTable, concatenate_people, held_out
from ml.evidence import MAX_HISTORY
from ml.fitting import Fitted, fit_model, own_samples, score
from ml.metrics import Scored, calibration_error, rates
from ml.model import Model
from ml.scorer import Scorer
from ml.synthetic import people
from ml.training import Settings
from ml.trials import Trials, labelled, together, zero_effort

MIN_SESSIONS = 4  # fewer say little about a person's own spread
MIN_USERS = 20
HELD_OUT_SHARE = 0.3
BASE_USERS = 400  # synthetic people beside the operator's own, so that a small house is not taken for mankind
EQUAL_EER = 0.005  # what held-out people of a few hundred cannot tell apart
EQUAL_CALIBRATION = 0.02


@dataclass(frozen=True)
class Proposal:
    """A candidate, both models' figures on held-out people, and whether to take it."""

    model: Model
    manifest: dict[str, Any]
    candidate_figures: dict[str, float]
    current_figures: dict[str, float]
    promote: bool
    why: str


def propose(
    own: SessionTable,
    current: Scorer,
    *,
    version: str,
    seed: int = 0,
    epochs: int = 12,
    progress: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
) -> Proposal:
    """Refit the population's constants and the network on 70 % of the own people and on base synthetic people.

    The others' sessions, which neither side fits on, decide: the candidate is promoted unless its EER or its
    calibration is worse than the current model's. With fewer than 20 people of 4 sessions the proposal holds the
    current model and says so. Writes nothing.
    """
    own = _with_enough_sessions(own)
    count = len(own.users())
    if count < MIN_USERS:
        few = f"{count} users with {MIN_SESSIONS} sessions, {MIN_USERS} are needed"
        return Proposal(current.model, {}, {}, {}, False, few)
    rng = np.random.default_rng(seed)
    aside = held_out(own.user, HELD_OUT_SHARE, seed)
    base = people(aalto(), rng.integers(12, 61, BASE_USERS), rng)
    table = concatenate_people([own.rows(~aside), base])
    fitted = fit_model(own_samples(table), Settings(epochs=epochs, seed=seed), version, progress)
    judged = _judged(own.rows(aside), rng)
    candidate_figures = _figures(score(Scorer(fitted.model), judged))
    current_figures = _figures(score(current, judged))
    why = _objection(candidate_figures, current_figures)
    manifest = _manifest(fitted, count, seed, candidate_figures)
    return Proposal(
        fitted.model,
        manifest,
        candidate_figures,
        current_figures,
        promote=why is None,
        why=why or "not worse than the current model on held-out users",
    )


def _with_enough_sessions(own: SessionTable) -> SessionTable:
    _, row, sessions = np.unique(own.user, return_inverse=True, return_counts=True)
    return own.rows(sessions[row] >= MIN_SESSIONS)


def _judged(aside: SessionTable, rng: np.random.Generator) -> Trials:
    genuine = labelled(own_samples(aside), MAX_HISTORY)
    return together([genuine, zero_effort(aside, MAX_HISTORY, rng)])


def _figures(scored: Scored) -> dict[str, float]:
    swept = rates(scored)
    return {
        "users": float(len(np.unique(scored.user))),
        "eer": swept.eer,
        "auc": swept.auc,
        "calibration_error": calibration_error(scored),
    }


def _objection(candidate: dict[str, float], current: dict[str, float]) -> str | None:
    for name, margin in (("eer", EQUAL_EER), ("calibration_error", EQUAL_CALIBRATION)):
        if candidate[name] > current[name] + margin:
            return (
                f"{name} on held-out users would be {candidate[name]:.4f} "
                f"instead of {current[name]:.4f}"
            )
    return None


def _manifest(
    fitted: Fitted, own_users: int, seed: int, figures: dict[str, float]
) -> dict[str, Any]:
    return {
        "data": {
            "description": "own users' recorded sessions and base synthetic people",
            "own_users": own_users,
            "synthetic_users": BASE_USERS,
            "users": fitted.users,
        },
        "seeds": {"training": seed},
        "figures": {"validation_people": fitted.figures, "held_out_own_users": figures},
        "thresholds": fitted.thresholds,
    }
