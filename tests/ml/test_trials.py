from __future__ import annotations

import numpy as np
import pytest

from ml.dataset import SessionTable
from ml.samples import Samples
from ml.trials import enrolled, labelled, together, zero_effort


def owner(table: SessionTable, features: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    return int(table.user[(table.features == features).all(axis=1)][0])


def test_a_sample_is_held_against_all_earlier_legitimate_sessions_newest_first(
    samples: Samples,
) -> None:
    trials = labelled(samples, 50)
    own = samples.genuine()
    row = 0
    for i in range(len(samples)):
        claimed = samples.sessions.user[i]
        earlier = (own.user == claimed) & (own.unix_seconds < samples.sessions.unix_seconds[i])
        if not earlier.any():
            continue
        past = own.rows(earlier).sorted().features[::-1][:50]
        assert trials.sessions.counts[row] == len(past)
        assert np.array_equal(trials.sessions.history[row, : len(past)], past)
        assert np.array_equal(trials.sessions.current[row], samples.sessions.features[i])
        assert trials.genuine[row] == samples.legitimate[i]
        assert trials.user[row] == claimed
        row += 1
    assert row == len(trials)


def test_random_histories_are_of_every_length_and_still_the_newest(samples: Samples) -> None:
    longest = labelled(samples, 20)
    trials = labelled(samples, 20, np.random.default_rng(0))
    counts = trials.sessions.counts
    assert (counts >= 1).all()
    assert (counts <= longest.sessions.counts).all()
    assert set(counts) == set(range(1, 21))
    newest = trials.sessions.history[:, 0]
    assert np.array_equal(newest, longest.sessions.history[:, 0])


def test_zero_effort_impostors_are_always_somebody_else(crowd: SessionTable) -> None:
    trials = zero_effort(crowd, 10, np.random.default_rng(1))
    assert not trials.genuine.any()
    for i in range(0, len(trials), 50):
        assert owner(crowd, trials.sessions.current[i]) != trials.user[i]
        assert owner(crowd, trials.sessions.history[i, 0]) == trials.user[i]


def test_the_protocol_enrols_everybodys_first_sessions(crowd: SessionTable) -> None:
    trials = enrolled(crowd, 10, 3, np.random.default_rng(2))
    assert trials.genuine.sum() == 120 * 10
    assert (~trials.genuine).sum() == 120 * 3
    for i in range(0, len(trials), 40):
        own = crowd.rows(crowd.user == trials.user[i]).sorted().features
        assert np.array_equal(trials.sessions.history[i], own[:10][::-1])
        typist = owner(crowd, trials.sessions.current[i])
        assert (typist == trials.user[i]) == trials.genuine[i]
        theirs = crowd.rows(crowd.user == typist).sorted().features
        place = int(np.flatnonzero((theirs == trials.sessions.current[i]).all(axis=1))[0])
        assert place >= 10


def test_without_enrolment_nobody_has_a_history(crowd: SessionTable) -> None:
    trials = enrolled(crowd, 0, 2, np.random.default_rng(3))
    assert not trials.sessions.counts.any()
    assert trials.sessions.history.shape[1] == 0


def test_people_without_a_later_session_are_left_out(crowd: SessionTable) -> None:
    short = crowd.rows((crowd.user > 1) | (np.arange(len(crowd)) % 20 < 5))
    trials = enrolled(short, 10, 1, np.random.default_rng(4))
    assert trials.user.min() == 2


def test_one_person_alone_cannot_be_compared(crowd: SessionTable) -> None:
    with pytest.raises(ValueError, match="1 users with more than 10 sessions"):
        enrolled(crowd.rows(crowd.user == 0), 10, 1, np.random.default_rng(5))


def test_trials_put_together_keep_their_order(crowd: SessionTable) -> None:
    trials = enrolled(crowd, 5, 1, np.random.default_rng(6))
    joined = together([trials, trials.rows(~trials.genuine)])
    assert len(joined) == len(trials) + (~trials.genuine).sum()
    assert not joined.genuine[len(trials) :].any()
