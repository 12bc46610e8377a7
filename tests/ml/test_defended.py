from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from ml.dataset import SessionTable
from ml.defended import Service
from ml.enrolled import Comparisons, compare
from ml.protocol import first_sessions
from ml.scorer import Scorer
from ml.sessions import Sessions


def admits(
    confidence: NDArray[np.int64], anomaly: NDArray[np.float64], recorded: NDArray[np.int64]
) -> NDArray[np.bool_]:
    return np.asarray((confidence >= 80) & (anomaly <= 0.99) & (recorded > 0))


@pytest.fixture(scope="module")
def service(shipped: Scorer) -> Service:
    return Service(shipped, 60, admits, 10)


@pytest.fixture(scope="module")
def compared(crowd: SessionTable) -> Comparisons:
    return compare(first_sessions(crowd, 10, False), 10, np.random.default_rng(0))


def test_acceptance_is_the_scorers_confidence_at_the_threshold(
    service: Service, compared: Comparisons
) -> None:
    sessions = compared.sessions(slice(None))
    scores = service.scorer.score(sessions)
    found = service.judge(sessions)
    assert np.array_equal(found.accepted, (scores.confidence >= 60) & ~scores.implausible)
    assert found.accepted[compared.genuine].mean() > 0.8
    assert found.accepted[~compared.genuine].mean() < 0.2


def test_what_is_recorded_was_admitted_and_leads_nowhere(
    service: Service, compared: Comparisons
) -> None:
    sessions = compared.sessions(slice(None))
    scores = service.scorer.score(sessions)
    guarded = service.judge(sessions).recorded
    open_door = replace(service, guarded=False).judge(sessions).recorded
    assert np.array_equal(
        open_door, (scores.confidence >= 80) & (scores.anomaly <= 0.99) & ~scores.implausible
    )
    assert not (guarded & ~open_door).any()
    assert 0.03 < 1 - guarded.sum() / open_door.sum() < 0.25


def test_a_replay_is_neither_accepted_nor_recorded(service: Service, compared: Comparisons) -> None:
    sessions = compared.sessions(slice(0, 200))
    copies = Sessions(sessions.history[:, 3], sessions.history, sessions.counts)
    found = service.judge(copies)
    assert not found.accepted.any()
    assert not found.recorded.any()
    assert replace(service, guarded=False).judge(copies).accepted.mean() > 0.9


def test_what_is_no_session_of_a_person_is_flagged(service: Service, crowd: SessionTable) -> None:
    nothing = np.zeros((2, 0, 4))
    odd = np.array([[900.0, 150.0, 200.0, 0.0], [60.0, 100.0, 90.0, 3.0]])
    counts = np.zeros(2, dtype=np.int64)
    assert service.flagged(Sessions(odd, nothing, counts), 0.99).tolist() == [True, False]
