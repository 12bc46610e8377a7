"""Measures a model: on labelled samples, and on people by the verification protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.evidence import MAX_HISTORY
from ml.fitting import score
from ml.metrics import Scored, rates, with_intervals
from ml.samples import GENUINE, KINDS, Samples
from ml.scorer import Scorer
from ml.trials import enrolled, labelled

ENROL = 10
IMPOSTORS_EACH = 40  # other people's sessions per person


@dataclass(frozen=True)
class Evaluation:
    """One data set's outcome: what was compared, figures with intervals, and the scores behind them."""

    name: str
    counts: dict[str, int]
    figures: dict[str, dict[str, float]]
    scored: Scored
    details: dict[str, Any]

    def entry(self) -> dict[str, Any]:
        """What stands in a report."""
        return {"counts": self.counts, "figures": self.figures, **self.details}


def on_samples(
    scorer: Scorer, samples: Samples, threshold: int, rng: np.random.Generator, resamples: int = 200
) -> Evaluation:
    """Every sample against its claimed person's earlier legitimate sessions, at most 50.

    Details: each kind of impostor's FAR at `threshold`, and how many of each were flagged as anomalous where 1 % of
    genuine sessions would be.
    """
    trials = labelled(samples, MAX_HISTORY)
    scored = score(scorer, trials)
    kept = samples.kind[_with_a_past(samples)]
    anomaly = scorer.anomaly(trials.sessions.current)
    accepted = np.floor(scored.probability * 100 + 0.5) >= threshold
    kinds = {
        kind: {
            "comparisons": int((kept == kind).sum()),
            "accepted": float(accepted[kept == kind].mean()),
            "anomalous": float((anomaly[kept == kind] > 0.99).mean()),
        }
        for kind in (GENUINE, *KINDS)
        if (kept == kind).any()
    }
    figures = with_intervals(scored, threshold, rng, resamples)
    return Evaluation("synthetic people", _counts(scored), figures, scored, {"kinds": kinds})


def on_people(
    scorer: Scorer,
    table: SessionTable,
    threshold: int,
    rng: np.random.Generator,
    *,
    enrol: int = ENROL,
    resamples: int = 200,
) -> Evaluation:
    """The verification protocol: the first `enrol` sessions are the history, later ones and other people's are judged.

    Details: how the anomaly score of these sessions lies against its promise to be uniform.
    """
    trials = enrolled(table, enrol, IMPOSTORS_EACH, rng)
    scored = score(scorer, trials)
    figures = with_intervals(scored, threshold, rng, resamples)
    anomaly = scorer.anomaly(table.features)
    details = {
        "enrolled_sessions": enrol,
        "anomaly_above": {str(q): float((anomaly > q).mean()) for q in (0.5, 0.9, 0.95, 0.99)},
    }
    return Evaluation(f"real people, history of {enrol}", _counts(scored), figures, scored, details)


def without_history(
    scorer: Scorer, table: SessionTable, rng: np.random.Generator
) -> dict[str, float]:
    """What the score is worth without a history: AUC, and the least and greatest confidence it gives."""
    scored = score(scorer, enrolled(table, 0, IMPOSTORS_EACH, rng))
    confidence = np.floor(scored.probability * 100 + 0.5)
    return {
        "auc": rates(scored).auc,
        "least_confidence": float(confidence.min()),
        "greatest_confidence": float(confidence.max()),
    }


def _with_a_past(samples: Samples) -> NDArray[np.bool_]:
    table = samples.sessions
    own = samples.genuine()
    users, first = own.users(), own.sorted()
    earliest = first.unix_seconds[np.searchsorted(first.user, users)]
    place = np.searchsorted(users, table.user)
    known = (place < len(users)) & (users[np.minimum(place, len(users) - 1)] == table.user)
    after = table.unix_seconds > earliest[np.minimum(place, len(users) - 1)]
    return np.asarray(known & after)


def _counts(scored: Scored) -> dict[str, int]:
    return {
        "people": len(np.unique(scored.user)),
        "genuine": int(scored.genuine.sum()),
        "impostor": int((~scored.genuine).sum()),
    }
