"""The people are the same everywhere, and every request is one that the service takes."""

from __future__ import annotations

import numpy as np

from bench.people import HISTORY, People
from worker.records import Pattern


def test_two_machines_make_the_same_people() -> None:
    assert np.array_equal(People(20).histories, People(20).histories)
    assert not np.array_equal(People(20).histories, People(20, seed=5).histories)


def test_everybody_has_a_did_of_their_own() -> None:
    assert len(set(People(50).dids)) == 50


def test_a_history_survives_the_store_to_the_last_bit() -> None:
    histories = People(10).histories
    assert histories.shape == (10, HISTORY, 4)
    for numbers in histories[3].tolist():
        kept = Pattern.unpack(Pattern(1, tuple(numbers)).pack())
        assert kept is not None
        assert list(kept.features) == numbers


def test_a_session_lies_near_the_history_of_its_did() -> None:
    people = People(200)
    ratio = people.current / people.histories.mean(axis=1)
    assert np.abs(ratio - 1).max() < 0.25
