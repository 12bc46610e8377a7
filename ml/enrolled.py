"""People with a history and later sessions: who is compared with whom when a model is measured.

Letters: P people, K patterns of history each, M later sessions of all people, N comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.metrics import Scored
from ml.scorer import Scorer
from ml.sessions import Sessions
from ml.statistics import DERIVED

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
CHUNK = 2048  # comparisons scored at once
HOUR = 3600.0


@dataclass(frozen=True)
class Enrolled:
    """People enrolled with `history`, newest first, and what they typed afterwards.

    `rich` says whether derived rows are shown to the scorer, or the four numbers only.
    """

    user: Rows  # (P,) numbers in the study
    history: Floats  # (P, K, 4)
    past_derived: Floats  # (P, K, 58)
    past_seconds: Rows  # (P, K)
    later: SessionTable  # M, of person 0 first
    owner: Rows  # (M,) 0..P-1, ascending
    rich: bool

    def __len__(self) -> int:
        return len(self.user)

    def people(self, chosen: Rows) -> Enrolled:
        """Only the chosen people, each once and in ascending order."""
        kept = np.isin(self.owner, chosen)
        return Enrolled(
            self.user[chosen],
            self.history[chosen],
            self.past_derived[chosen],
            self.past_seconds[chosen],
            self.later.rows(kept),
            np.searchsorted(chosen, self.owner[kept]),
            self.rich,
        )

    def first_later(self) -> Rows:
        """Row (P,) in `later` of each person's first session after enrolment."""
        return np.searchsorted(self.owner, np.arange(len(self)))

    def claims(
        self, person: Rows, current: Floats, derived: Floats | None, seconds: Rows
    ) -> Sessions:
        """Sessions (N, 4) and their derived rows (N, 58), typed at `seconds` by whoever claims to be `person` (N,)."""
        longest = self.history.shape[1]
        counts = np.full(len(person), longest, dtype=np.int64)
        ages = (seconds[:, None] - self.past_seconds[person]) / HOUR  # (N, K)
        if not self.rich:
            return Sessions(current, self.history[person], counts, ages_hours=ages)
        shown = np.zeros((len(person), DERIVED)) if derived is None else derived
        return Sessions(
            current, self.history[person], counts, shown, self.past_derived[person], ages
        )


@dataclass(frozen=True)
class Comparisons:
    """N sessions of `enrolled.later`, each held against the history of the person that it claims to be."""

    enrolled: Enrolled
    claimed: Rows  # (N,) person
    typed: Rows  # (N,) row of `later`: what was typed
    moment: Rows  # (N,) row of `later`: when; one of the claimed person's own sessions
    genuine: NDArray[np.bool_]  # (N,)

    def __len__(self) -> int:
        return len(self.claimed)

    def sessions(self, rows: slice) -> Sessions:
        """Those comparisons as the scorer takes them."""
        later, typed = self.enrolled.later, self.typed[rows]
        derived = None if later.derived is None else later.derived[typed]
        seconds = later.unix_seconds[self.moment[rows]]
        return self.enrolled.claims(self.claimed[rows], later.features[typed], derived, seconds)


def enrol(past: SessionTable, later: SessionTable, patterns: int, rich: bool) -> Enrolled:
    """Everybody with `patterns` sessions in `past`, the newest of which are taken, and one or more in `later`.

    Raises ValueError when fewer than two people are left: there would be no impostor.
    """
    past, later = past.sorted(), later.sorted()
    user, length = np.unique(past.user, return_counts=True)
    ends = np.cumsum(length)
    fit = (length >= patterns) & np.isin(user, later.user)
    user, ends = user[fit], ends[fit]
    if len(user) < 2:
        raise ValueError(
            f"{len(user)} people with {patterns} sessions of history and one later; 2 are needed; "
            "help: a lower --enrol, or more sessions a person"
        )
    rows = ends[:, None] - 1 - np.arange(patterns)  # (P, K)
    later = later.rows(np.isin(later.user, user))
    return Enrolled(
        user,
        past.features[rows],
        past.derived_rows()[rows],
        past.unix_seconds[rows],
        later,
        np.searchsorted(user, later.user),
        rich,
    )


def compare(enrolled: Enrolled, impostors: int, rng: np.random.Generator) -> Comparisons:
    """Genuine: every later session. Impostors: a random later session of each of `impostors` random other people.

    Where there are fewer other people, all of them try.
    """
    people, owner = len(enrolled), enrolled.owner
    first = enrolled.first_later()
    many = np.bincount(owner, minlength=people)
    each = min(impostors, people - 1)
    away = np.argsort(rng.random((people, people - 1)), axis=1)[:, :each] + 1  # (P, each)
    other = ((np.arange(people)[:, None] + away) % people).ravel()
    victim = np.repeat(np.arange(people), each)
    typed = first[other] + rng.integers(0, many[other])
    moment = first[victim] + rng.integers(0, many[victim])
    own = np.arange(len(owner))
    return Comparisons(
        enrolled,
        np.concatenate([owner, victim]),
        np.concatenate([own, typed]),
        np.concatenate([own, moment]),
        np.arange(len(own) + len(typed)) < len(own),
    )


def score(scorer: Scorer, compared: Comparisons) -> Scored:
    """The probability of each comparison, by the scorer that serves; `user` is whose history it is."""
    starts = range(0, len(compared), CHUNK)
    parts = [scorer.probability(compared.sessions(slice(i, i + CHUNK))) for i in starts]
    user = compared.enrolled.user[compared.claimed]
    return Scored(np.concatenate(parts), compared.genuine, user)
