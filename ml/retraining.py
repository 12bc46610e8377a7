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
from ml.metrics import RESAMPLES, Scored, bootstrap, calibration_error, rates
from ml.model import Model
from ml.scorer import Scorer
from ml.synthetic import people
from ml.training import Settings
from ml.trials import Trials, labelled, together, zero_effort

MIN_SESSIONS = 4  # fewer say little about a person's own spread
MIN_HELD_OUT = 50  # users; among fewer, chance moves the EER by more than candidates differ
HELD_OUT_SHARE = 0.3
SPLIT_SEED = 0  # one for all runs: who is held out now was held out from the current model, too
BASE_USERS = 400  # synthetic people beside the operator's own, so that a small house is not taken for mankind
EQUAL_EER = 0.005  # how much worse chance may let a better candidate look
SOUND_CALIBRATION = 0.05  # a sound one: the shipped model has 1 to 4 % (docs/accuracy.md)


@dataclass(frozen=True)
class Proposal:
    """A candidate, the models' figures on held-out people, and whether to take it."""

    model: Model
    manifest: dict[str, Any]
    candidate_figures: dict[str, float]
    current_figures: dict[str, float]
    floor_figures: dict[str, float]  # empty without a floor
    promote: bool
    why: str


def propose(
    own: SessionTable,
    current: Scorer,
    *,
    version: str,
    floor: Scorer | None = None,
    seed: int = 0,
    epochs: int = 12,
    progress: Callable[[int, int, float], None] = lambda epoch, epochs, loss: None,
) -> Proposal:
    """Refit the population's constants and the network on 70 % of the own people and on base synthetic people.

    The others' sessions decide: by their numbers the same users are held out in every run, so neither model was fitted
    on them. The candidate is promoted if it is not worse than the current model nor than `floor`, the model that no
    promotion may fall below, see `objection`. With fewer than 50 held-out users of 4 sessions the proposal holds the
    current model and says so. Writes nothing.
    """
    own = _with_enough_sessions(own)
    aside = held_out(own.user, HELD_OUT_SHARE, SPLIT_SEED)
    count, judges = len(own.users()), len(own.rows(aside).users())
    if judges < MIN_HELD_OUT:
        few = f"{count} users with {MIN_SESSIONS} sessions leave {judges} to be held out, {MIN_HELD_OUT} are needed"
        return Proposal(current.model, {}, {}, {}, {}, False, few)
    rng = np.random.default_rng(seed)
    base = people(aalto(), rng.integers(12, 61, BASE_USERS), rng)
    table = concatenate_people([own.rows(~aside), base])
    settings, rich = Settings(epochs=epochs, seed=seed), current.model.rich
    fitted = fit_model(own_samples(table), settings, version, progress, rich=rich)
    judged = _judged(own.rows(aside))
    candidate = score(Scorer(fitted.model), judged)
    rivals = {"current": score(current, judged)}
    if floor is not None:
        rivals["shipped"] = score(floor, judged)
    objections = [objection(candidate, rival, name) for name, rival in rivals.items()]
    why = next((found for found in objections if found is not None), None)
    return Proposal(
        fitted.model,
        _manifest(fitted, count, seed, _figures(candidate)),
        _figures(candidate),
        _figures(rivals["current"]),
        _figures(rivals["shipped"]) if "shipped" in rivals else {},
        promote=why is None,
        why=why or f"not worse than the {' and the '.join(rivals)} model on held-out users",
    )


def objection(candidate: Scored, rival: Scored, name: str) -> str | None:
    """What speaks against a candidate beside a rival, both scored on the same comparisons; None if nothing does.

    Its EER must not be greater, and by a paired bootstrap over users (95 %) not by more than 0.005. No margin is given
    away on the figure itself, so a row of promotions cannot drift. Its calibration error must not be greater either,
    unless it is below 0.05.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    paired = bootstrap(
        candidate,
        lambda row: {"eer": rates(candidate, row).eer - rates(rival, row).eer},
        rng,
        RESAMPLES,
    )["eer"]
    if paired["value"] > 0.0 or paired["high"] > EQUAL_EER:
        points = [f"{100 * paired[part]:+.2f}" for part in ("value", "low", "high")]
        return (
            f"EER on held-out users would differ from the {name} model's by {points[0]} points "
            f"({points[1]} to {points[2]})"
        )
    own, other = calibration_error(candidate), calibration_error(rival)
    if own > max(other, SOUND_CALIBRATION):
        return f"calibration error on held-out users would be {own:.4f}, the {name} model's is {other:.4f}"
    return None


def _with_enough_sessions(own: SessionTable) -> SessionTable:
    _, row, sessions = np.unique(own.user, return_inverse=True, return_counts=True)
    return own.rows(sessions[row] >= MIN_SESSIONS)


def _judged(aside: SessionTable) -> Trials:
    rng = np.random.default_rng(SPLIT_SEED)
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
        "seeds": {"training": seed, "split": SPLIT_SEED},
        "figures": {"validation_people": fitted.figures, "held_out_own_users": figures},
        "thresholds": fitted.thresholds,
    }
