"""From labelled samples to a model: constants, network, calibration, autoencoder, figures, threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import plausibility, population
from ml.calibration import calibrate
from ml.dataset import SessionTable
from ml.evidence import MAX_HISTORY, Evidence, Tails
from ml.metrics import Scored, at_threshold, rates, with_intervals
from ml.model import Model
from ml.operating import operating_points, reject_below
from ml.samples import GENUINE, OTHER, Samples
from ml.scorer import Scorer
from ml.training import Progress, Settings, fit_network, in_chunks
from ml.trials import Trials, labelled, together, zero_effort

VALIDATION_SHARE = 0.2
# A replay or a good mimic carries the evidence of a genuine session: no label can teach the network to tell them apart.
LEARNABLE = (GENUINE, OTHER, "bot")
MOST_COMPARISONS = 80_000  # more changed no figure and cost time
AUTOENCODER_EPOCHS = 8
SETTING = "validation people, histories of 1 to 50, four numbers"


@dataclass(frozen=True)
class Fitted:
    """A model and what it reached on the validation people."""

    model: Model
    figures: dict[str, Any]
    thresholds: dict[str, Any]
    users: dict[str, int]


def fit_model(
    samples: Samples,
    settings: Settings,
    version: str,
    progress: Progress,
    tails: Tails | None = None,
) -> Fitted:
    """Train on 80 % of the people and calibrate on the others, for whom the figures are reported.

    Raises ValueError when the people are too few.
    """
    rng = np.random.default_rng(settings.seed)
    validation = validation_users(samples, rng)
    held_out = np.isin(samples.sessions.user, validation)
    fitted, validated = samples.rows(~held_out), samples.rows(held_out)
    people = population.fit(fitted.genuine())
    evidence = Evidence(people, tails or Tails())
    checked = comparisons(validated, rng)
    network = fit_network(evidence, comparisons(fitted, rng), checked, settings, progress)
    calibrate(network, in_chunks(evidence, checked.sessions), checked.genuine)
    autoencoder = plausibility.fit_autoencoder(
        people, fitted.genuine().features, AUTOENCODER_EPOCHS, settings.seed
    )
    errors = plausibility.error_quantiles(people, autoencoder, validated.genuine().features)
    model = Model(version, people, evidence.tails, network, autoencoder, errors, {}, 0)
    scored = score(Scorer(model), checked)
    points = operating_points(scored, SETTING, rng)
    model = replace(model, operating_points=points, reject_below=reject_below(scored))
    threshold = equal_error_confidence(scored)
    return Fitted(
        model,
        with_intervals(scored, threshold, rng),
        {
            "equal_error": {"confidence": threshold, **_rates(scored, threshold)},
            **{name: point.entry() for name, point in points.items()},
            "reject_below": {"confidence": model.reject_below},
        },
        {"fitted": len(fitted.sessions.users()), "validated": len(validation)},
    )


def comparisons(samples: Samples, rng: np.random.Generator) -> Trials:
    """What the network learns from: samples against histories of random length, and as many other people's sessions."""
    kept = samples.rows(np.isin(samples.kind, LEARNABLE))
    own = kept.genuine()
    trials = together([labelled(kept, MAX_HISTORY, rng), zero_effort(own, MAX_HISTORY, rng)])
    if len(trials) > MOST_COMPARISONS:
        trials = trials.rows(np.sort(rng.choice(len(trials), MOST_COMPARISONS, replace=False)))
    return trials


def validation_users(samples: Samples, rng: np.random.Generator) -> NDArray[np.int64]:
    """One person in five, stratified: people are ranked by their share of impostors and their number of sessions, and
    one of every five neighbours is drawn. Raises ValueError when there are fewer than ten people.
    """
    users, row = np.unique(samples.sessions.user, return_inverse=True)
    if len(users) < 10:
        raise ValueError(f"{len(users)} users; 10 are needed to hold some of them out")
    sessions = np.bincount(row)
    impostors = np.bincount(row, ~samples.legitimate) / sessions
    ranked = np.lexsort((sessions, np.round(impostors, 1)))
    every = round(1 / VALIDATION_SHARE)
    drawn = [rng.choice(ranked[i : i + every]) for i in range(0, len(ranked), every)]
    return np.sort(users[np.array(drawn)])


def score(scorer: Scorer, trials: Trials, size: int = 4096) -> Scored:
    """The probabilities of all comparisons."""
    parts = [scorer.probability(trials.sessions[i : i + size]) for i in range(0, len(trials), size)]
    return Scored(np.concatenate(parts), trials.genuine, trials.user)


def equal_error_confidence(scored: Scored) -> int:
    """The confidence (0..100) at which FAR and FRR lie nearest to each other."""
    swept = rates(scored)
    nearest = int(np.argmin(np.abs(swept.far - swept.frr)))
    return int(np.clip(np.floor(swept.threshold[nearest] * 100 + 0.5), 0, 100))


def own_samples(table: SessionTable) -> Samples:
    """A table of genuine sessions as samples."""
    return Samples(table, np.full(len(table), GENUINE))


def _rates(scored: Scored, threshold: int) -> dict[str, float]:
    figures = at_threshold(scored, threshold)
    return {name: figures[name] for name in ("far", "frr")}
