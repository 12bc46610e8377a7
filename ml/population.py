"""What is normal for people: the constants that a session's evidence is weighed with, fitted on people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.features import FEATURES, even

MIN_SESSIONS = 4  # fewer say little about a person's own spread
DAMPING = 0.1  # of the within covariance's off-diagonals: EER 11.20 instead of 11.26 %, two-fold
MIN_USERS = 2 * FEATURES  # fewer leave a covariance of six features without full rank


@dataclass(frozen=True)
class Population:
    """Means and covariances of the six even features over people.

    A person's mean is drawn around `mean` with covariance `between`; the person's sessions around it with `within`.
    So the total covariance is between + within, and the regression of a next session on the mean of k sessions is
    between (between + within / k)^-1.
    """

    mean: NDArray[np.float64]  # (6,)
    between: NDArray[np.float64]  # (6, 6)
    within: NDArray[np.float64]  # (6, 6)

    @property
    def total(self) -> NDArray[np.float64]:
        """The covariance of a session of anybody, (6, 6)."""
        return self.between + self.within

    def regression(
        self, chosen: NDArray[np.int64], sessions: int, length: float = 1.0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How the `chosen` (d,) features of a next session follow from the mean of k `sessions`.

        The next one is as long as `length` of them, and its noise so many times less. Returns the regression matrix
        (d, d) and the covariance (d, d) of what it leaves unexplained; without a session they are zero and the
        covariance of anybody's. The normal-normal model, e.g. Gelman, "Bayesian Data Analysis", 3rd edition, section
        3.5.
        """
        block = np.ix_(chosen, chosen)
        between, within = self.between[block], self.within[block]
        if sessions == 0:
            return np.zeros_like(between), between + within / length
        slope = np.asarray(np.linalg.solve(between + within / sessions, between).T)
        return slope.astype(np.float64), between + within / length - slope @ between


def fit(table: SessionTable) -> Population:
    """The constants of the people in `table`, by moments: every person counts alike in the mean and in `between`.

    Only people with at least 4 sessions count. Raises ValueError when they are fewer than 12.
    """
    people = [even(own) for own in table.by_user() if len(own) >= MIN_SESSIONS]
    if len(people) < MIN_USERS:
        raise ValueError(
            f"{len(people)} users with {MIN_SESSIONS} sessions; {MIN_USERS} are needed"
        )
    means = np.array([own.mean(axis=0) for own in people])  # (U, 6)
    freedom = sum(len(own) - 1 for own in people)
    within = sum((_scatter(own) for own in people), np.zeros((FEATURES, FEATURES))) / freedom
    noise = within * np.mean(
        [1.0 / len(own) for own in people]
    )  # a mean of n sessions is off by within / n
    between = np.cov(means, rowvar=False) - noise
    within = (1 - DAMPING) * within + DAMPING * np.diag(np.diag(within))
    return Population(means.mean(axis=0), _positive(between), within)


def _scatter(own: NDArray[np.float64]) -> NDArray[np.float64]:
    away = own - own.mean(axis=0)  # (n, 6)
    return np.asarray(away.T @ away)


def _positive(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    # Few people may leave a direction without variance between them, or with less than none.
    values, vectors = np.linalg.eigh(covariance)
    floor = 1e-3 * values[-1]
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)
