from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.dataset import SessionTable
from ml.enrolled import compare, score
from ml.metrics import rates
from ml.protocol import first_sessions
from ml.scorer import Scorer
from ml.upkeep import grow
from tests.ml.attacked_service import service_of


def test_what_enters_and_what_is_withheld_are_shares_of_what_came(
    shipped: Scorer, crowd: SessionTable
) -> None:
    guarded = grow(service_of(shipped), crowd, False, 4, 8, seed=0, impostors=5)
    unguarded = grow(
        replace(service_of(shipped), guarded=False), crowd, False, 4, 8, seed=0, impostors=5
    )
    assert 0.02 < guarded.withheld.mean() < 0.3
    assert not unguarded.withheld.any()
    assert (guarded.recorded + guarded.withheld <= 1.0 + 1e-9).all()
    assert unguarded.recorded.mean() > guarded.recorded.mean() > 0.3
    assert rates(guarded.scored).eer < rates(unguarded.scored).eer + 0.02


def test_where_nothing_enters_the_first_history_judges(
    shipped: Scorer, crowd: SessionTable
) -> None:
    closed = replace(
        service_of(shipped), admits=lambda confidence, anomaly, recorded: confidence > 100
    )
    grown = grow(closed, crowd, True, 5, 10, seed=3, impostors=5)
    assert not grown.recorded.any()
    people = first_sessions(crowd, 5, True, skip=10)
    direct = score(shipped, compare(people, 5, np.random.default_rng(3)))
    assert grown.scored.probability == pytest.approx(direct.probability)
    assert np.array_equal(grown.scored.user, direct.user)


def test_people_with_too_few_sessions_to_grow_are_refused(
    shipped: Scorer, crowd: SessionTable
) -> None:
    with pytest.raises(ValueError, match="people"):
        grow(service_of(shipped), crowd, False, 5, 15, seed=0)
