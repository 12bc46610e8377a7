from __future__ import annotations

import numpy as np
import pytest

from ml.dataset import SessionTable
from ml.enrolled import compare, enrol, score
from ml.protocol import first_of, first_sessions
from ml.scorer import Scorer
from tests.ml.rich_crowd import rich_crowd

CROWD = rich_crowd(12, 9, np.random.default_rng(0))


def whose(features: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[int, int]:
    """Person and place in time of a session of the crowd."""
    row = int(np.flatnonzero((CROWD.features == features).all(axis=1))[0])
    return int(CROWD.user[row]), row % 9


def test_the_history_is_a_persons_newest_first_and_never_judged() -> None:
    compared = compare(first_sessions(CROWD, 5, rich=True), 4, np.random.default_rng(1))
    sessions = compared.sessions(slice(None))
    assert len(compared) == 12 * (4 + 4)
    for i in range(len(compared)):
        person = int(compared.enrolled.user[compared.claimed[i]])
        past = [whose(pattern) for pattern in sessions.history[i]]
        assert past == [(person, place) for place in (4, 3, 2, 1, 0)]
        typist, place = whose(sessions.current[i])
        assert place >= 5
        assert (typist == person) == compared.genuine[i]


def test_impostors_are_distinct_other_people() -> None:
    compared = compare(first_sessions(CROWD, 5, rich=True), 11, np.random.default_rng(2))
    sessions = compared.sessions(slice(None))
    for person in range(12):
        rows = np.flatnonzero((compared.claimed == person) & ~compared.genuine)
        typists = {whose(sessions.current[i])[0] for i in rows}
        assert len(rows) == len(typists) == 11
    few = compare(first_sessions(CROWD, 5, rich=True), 500, np.random.default_rng(2))
    assert (~few.genuine).sum() == 12 * 11


def test_ages_are_told_as_if_the_claimed_person_typed() -> None:
    sessions = compare(first_sessions(CROWD, 5, True), 3, np.random.default_rng(3)).sessions(
        slice(None)
    )
    assert sessions.ages_hours is not None
    assert sessions.ages_hours.min() >= 1.0
    assert (np.diff(sessions.ages_hours, axis=1) == 1.0).all()


def test_four_numbers_alone_are_shown_where_the_input_is_not_rich() -> None:
    plain = compare(first_sessions(CROWD, 5, False), 3, np.random.default_rng(4)).sessions(
        slice(None)
    )
    assert plain.derived is None
    assert plain.past_derived is None
    rich = compare(first_sessions(CROWD, 5, True), 3, np.random.default_rng(4)).sessions(
        slice(0, 7)
    )
    assert rich.derived is not None
    assert np.array_equal(rich.current, plain.current[:7])


def test_people_with_too_short_a_past_or_nothing_later_are_left_out() -> None:
    past = first_of(CROWD, 5)
    short = past.rows((past.user != 103) | (np.arange(len(past)) % 5 < 3))
    later = CROWD.rows((np.arange(len(CROWD)) % 9 >= 5) & (CROWD.user != 107))
    people = enrol(short, later, 5, rich=True)
    assert set(CROWD.users()) - set(people.user) == {103, 107}
    assert set(people.later.user) == set(people.user)


def test_one_person_alone_cannot_be_compared() -> None:
    one = CROWD.rows(CROWD.user == 100)
    with pytest.raises(ValueError, match="1 people with 5 sessions of history and one later"):
        first_sessions(one, 5, rich=False)


def test_a_choice_of_people_keeps_their_sessions() -> None:
    people = first_sessions(CROWD, 5, rich=True)
    some = people.people(np.array([2, 5, 11]))
    assert some.user.tolist() == [102, 105, 111]
    assert np.array_equal(some.history, people.history[[2, 5, 11]])
    assert some.later.user[some.first_later()].tolist() == [102, 105, 111]
    assert some.owner.tolist() == sorted(some.owner.tolist())


def test_scores_are_those_of_the_scorer_whatever_the_chunks(
    shipped: Scorer, crowd: SessionTable
) -> None:
    compared = compare(first_sessions(crowd, 10, False), 40, np.random.default_rng(5))
    scored = score(shipped, compared)
    assert len(scored.probability) == len(compared) > 4_096
    for i in (0, 2_047, 2_048, len(compared) - 1):
        alone = shipped.probability(compared.sessions(slice(i, i + 1)))
        assert scored.probability[i] == alone[0]
