"""The service as an attacker meets it: the scorer, the guard and the rule of enrolment together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.guard import replayed, steered
from ml.scorer import Scorer
from ml.sessions import Sessions

Flags = NDArray[np.bool_]
CHUNK = 2048
# Whether patterns of confidence (B,) and anomaly (B,) enter histories of so many recorded patterns (B,).
Admits = Callable[[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]], Flags]


@dataclass(frozen=True)
class Verdicts:
    """What N sessions meet."""

    accepted: Flags  # (N,) the decision at the operating point
    recorded: Flags  # (N,) whether it would enter the history, quota aside


@dataclass(frozen=True)
class Service:
    """A scorer at an operating point. `guarded` False switches the guard off, to show what it is for."""

    scorer: Scorer
    threshold: int
    admits: Admits
    updates_per_day: int
    guarded: bool = True

    def judge(self, sessions: Sessions) -> Verdicts:
        """Sessions in any number, judged by the way that requests take."""
        starts = range(0, len(sessions), CHUNK)
        parts = [self._judge(sessions[i : i + CHUNK]) for i in starts]
        return Verdicts(
            np.concatenate([part.accepted for part in parts]),
            np.concatenate([part.recorded for part in parts]),
        )

    def flagged(self, sessions: Sessions, anomaly: float) -> Flags:
        """Which sessions (N,) look like no person's: implausible, or an anomaly above the limit."""
        scores = self.scorer.score(sessions)
        return np.asarray(scores.implausible | ~(scores.anomaly <= anomaly))

    def _judge(self, sessions: Sessions) -> Verdicts:
        scores = self.scorer.score(sessions)
        sound = ~scores.implausible & np.isfinite(scores.anomaly)
        admitted = self.admits(scores.confidence, scores.anomaly, sessions.counts)
        if self.guarded:
            sound &= ~replayed(sessions)
            admitted &= ~steered(
                sessions.current,
                sessions.derived,
                sessions.history,
                sessions.past_derived,
                sessions.counts,
            )
        return Verdicts(sound & (scores.confidence >= self.threshold), sound & admitted)
