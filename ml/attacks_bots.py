"""Programs that press keys: constant, rounded and random timing, as key events."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.defended import Service
from ml.enrolled import Enrolled
from ml.events import CODE, Events
from ml.sessions import Sessions
from ml.windows import sessions_of

Floats = NDArray[np.float64]
KEYS: Final = 60  # of one session
ANOMALY: Final = 0.99  # promises to flag 1 % of genuine sessions
STEPS_MS: Final = (10.0, 20.0, 50.0)
KINDS: Final = ("constant", "rounded", "uniform")


def type_like(kind: str, sessions: int, rng: np.random.Generator) -> Events:
    """Key events of that many sessions of 60 random letters and spaces.

    constant: one hold and one gap for the whole session, with or without a millisecond of jitter; rounded: times drawn
    as people have them (log-normal), on a grid of 10, 20 or 50 ms; uniform: each time drawn by itself from a range.
    """
    shape = (sessions, KEYS)
    usual = rng.uniform([[60.0], [100.0]], [[140.0], [300.0]], (2, sessions))[..., None]
    if kind == "constant":
        jitter = rng.integers(0, 2, (sessions, 1)) * rng.uniform(-0.5, 0.5, (2, *shape))
        hold, gap = usual + jitter
    elif kind == "rounded":
        step = rng.choice(STEPS_MS, (sessions, 1))
        drawn = usual * np.exp(np.array([[[0.2]], [[0.4]]]) * rng.standard_normal((2, *shape)))
        hold, gap = np.maximum(np.rint(drawn / step), 1.0) * step
    else:
        hold, gap = rng.uniform(20.0, 300.0, shape), rng.uniform(20.0, 500.0, shape)
    press = np.cumsum(gap, axis=1) - gap[:, :1]
    keys = rng.choice([*range(26), CODE["space"]], shape, p=[*[0.82 / 26] * 26, 0.18])
    number = np.repeat(np.arange(sessions), KEYS)
    return Events(
        number,
        np.zeros_like(number),
        np.zeros_like(number),
        press.ravel(),
        (press + hold).ravel(),
        keys.ravel(),
    )


def bots(service: Service, kind: str, rich: bool, count: int, rng: np.random.Generator) -> Floats:
    """Whether (N,) each session of such a program is flagged: 1 or 0."""
    return flagged(service, sessions_of(type_like(kind, count, rng)).table(), rich)


def flagged(service: Service, table: SessionTable, rich: bool) -> Floats:
    """Whether (N,) each session is implausible or rarer than 99 % of genuine ones: 1 or 0. No history takes part."""
    nothing = np.zeros((len(table), 0, 4))
    counts = np.zeros(len(table), dtype=np.int64)
    derived = table.derived_rows() if rich else None
    past = np.zeros((len(table), 0, derived.shape[1])) if derived is not None else None
    sessions = Sessions(table.features, nothing, counts, derived, past)
    return service.flagged(sessions, ANOMALY).astype(np.float64)


def genuine_flagged(service: Service, people: Enrolled) -> Floats:
    """The share (P,) of each person's own later sessions that are flagged."""
    found = flagged(service, people.later, people.rich)
    many = np.bincount(people.owner, minlength=len(people))
    return np.asarray(np.bincount(people.owner, found, len(people)) / np.maximum(many, 1))
