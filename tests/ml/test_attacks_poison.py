from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.attacks_poison import LONGEST, Histories, Led, poison
from ml.dataset import SessionTable
from ml.protocol import first_sessions
from ml.scorer import Scorer
from tests.ml.attacked_service import service_of


@pytest.fixture(scope="module")
def led(shipped: Scorer, crowd: SessionTable) -> tuple[Led, Led]:
    """With the guard and without it."""
    people = first_sessions(crowd.rows(crowd.user < 40), 8, False)
    service = service_of(shipped)
    unguarded = replace(service, guarded=False, updates_per_day=1_000)
    return tuple(poison(each, people, np.random.default_rng(0)) for each in (service, unguarded))  # type: ignore[return-value]


def test_attackers_begin_with_nobody_through(led: tuple[Led, Led]) -> None:
    for each in led:
        assert len(each.through) > 10
        assert not each.attacker_before.any()
        assert each.victim_before.mean() > 0.6


def test_the_guard_stops_what_would_come_through(led: tuple[Led, Led]) -> None:
    guarded, unguarded = led
    assert unguarded.through.mean() > 0.3
    assert guarded.through.mean() < 0.1
    assert guarded.entered.mean() < unguarded.entered.mean()
    assert guarded.victim_after.mean() > unguarded.victim_after.mean()


def test_a_quota_of_nothing_lets_nothing_in(shipped: Scorer, crowd: SessionTable) -> None:
    people = first_sessions(crowd.rows(crowd.user < 12), 8, False)
    closed = replace(service_of(shipped), updates_per_day=0)
    assert not poison(closed, people, np.random.default_rng(1)).entered.any()


def test_a_history_takes_the_newest_in_and_drops_the_oldest(crowd: SessionTable) -> None:
    people = first_sessions(crowd, 8, True)
    histories = Histories(people, np.array([3, 4]))
    before = histories.numbers.copy()
    for nth in range(LONGEST):
        new = np.full((2, 4), float(nth))
        chosen = np.array([True, False])
        histories.enter(chosen, new, np.zeros((2, 58)), np.array([nth, nth]))
    assert histories.counts.tolist() == [LONGEST, 8]
    assert histories.numbers[0, :, 0].tolist() == list(range(LONGEST - 1, -1, -1))
    assert np.array_equal(histories.numbers[1], before[1])
