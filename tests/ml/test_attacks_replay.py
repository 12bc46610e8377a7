from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.attacks_replay import exact, grown_whole, mistaken, mistaken_long, moved, whole_copies
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


def test_copies_of_whole_numbers_are_looked_for_in_all_of_fifty_patterns(
    shipped: Scorer, crowd: SessionTable
) -> None:
    people = first_sessions(crowd, 6, False).people(np.arange(30))
    service = service_of(shipped)
    assert whole_copies(service, people, np.random.default_rng(3)).tolist() == [0.0] * 30
    open_door = replace(service, guarded=False)
    assert whole_copies(open_door, people, np.random.default_rng(3)).mean() > 0.3


def test_a_grown_history_begins_with_the_persons_own_patterns(crowd: SessionTable) -> None:
    people = first_sessions(crowd, 6, True)
    grown = grown_whole(people, np.random.default_rng(4))
    assert grown.history.shape == (120, 50, 4)
    assert np.array_equal(grown.history[:, :6], np.rint(people.history))
    assert (grown.history == np.rint(grown.history)).all()
    assert (grown.past_seconds[:, 6:] == people.past_seconds[:, -1:]).all()
    assert not grown.rich
    older = grown.history[:, 6:].std(axis=1)
    assert (older[:, :3] > 0).all()


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


def test_longer_histories_are_reckoned_from_how_often_one_pattern_agrees(
    crowd: SessionTable,
) -> None:
    people = first_sessions(crowd, 6, False)
    later = np.rint(people.later.features)
    later[:] = 300.0 + np.arange(len(later))[:, None]  # like nothing before
    first = people.first_later()
    many = np.bincount(people.owner)
    later[first[0]] = np.rint(people.history[0, 3]) + np.eye(4)[1]  # nearly one of six
    later[first[1]] = np.rint(people.history[1, 3])  # exactly one of six
    shown = replace(people, later=replace(people.later, features=later))
    found = mistaken_long(compare(shown, 1, np.random.default_rng(5)))
    assert found[0] == pytest.approx(50 / 6 / many[0])
    assert found[1] == pytest.approx(50 / 6 / many[1])
    assert not found[2:].any()
