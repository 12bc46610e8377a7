from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.attacks_replay import exact, mistaken, moved
from ml.dataset import SessionTable
from ml.enrolled import compare
from ml.protocol import first_sessions
from ml.scorer import Scorer
from tests.ml.attacked_service import service_of


@pytest.mark.parametrize("rich", [False, True])
def test_no_copy_and_no_copy_moved_by_one_is_accepted(
    shipped: Scorer, crowd: SessionTable, rich: bool
) -> None:
    people = first_sessions(crowd, 6, rich).people(np.arange(30))
    service = service_of(shipped)
    assert exact(service, people).tolist() == [0.0] * 30
    assert moved(service, people, np.random.default_rng(0)).tolist() == [0.0] * 30


def test_without_the_guard_copies_get_through(shipped: Scorer, crowd: SessionTable) -> None:
    people = first_sessions(crowd, 6, False).people(np.arange(30))
    assert exact(replace(service_of(shipped), guarded=False), people).mean() > 0.8


def test_a_genuine_session_is_counted_as_mistaken_only_where_it_agrees(
    crowd: SessionTable,
) -> None:
    people = first_sessions(crowd, 6, True)
    compared = compare(people, 1, np.random.default_rng(1))
    assert mistaken(compared, whole=False).tolist() == [0.0] * 120
    twins = people.later.features.copy()
    first = people.first_later()
    twins[first] = people.history[:, 2] + 0.2  # whole numbers hide what moved
    same = replace(people, later=replace(people.later, features=np.rint(twins)))
    same = replace(same, history=np.rint(people.history))
    seen = mistaken(compare(same, 1, np.random.default_rng(2)), whole=True)
    assert (seen >= 1 / 14 - 1e-9).mean() > 0.3
