"""The people are the same everywhere, and every request is one that the service takes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from api.schemas import BATCH, PREDICT
from bench.people import HISTORY, People
from worker.records import Pattern


def test_two_machines_make_the_same_people() -> None:
    assert People(20).requests() == People(20).requests()
    assert People(20).requests() != People(20, seed=5).requests()


def test_every_request_is_valid_and_names_its_own_did() -> None:
    people = People(50)
    found = [PREDICT.validate_json(body) for body in people.requests()]
    assert [request.did for request in found] == people.dids
    assert len(set(people.dids)) == 50
    assert {request.historical_patterns for request in found} == {None}


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


@pytest.mark.parametrize(("size", "bodies"), [(100, 2), (60, 4), (250, 1)])
def test_batches_hold_each_person_at_most_once(size: int, bodies: int) -> None:
    batches = People(250).batches(size)
    assert len(batches) == bodies
    dids = [item["did"] for body in batches for item in json.loads(body)]
    assert len(dids) == len(set(dids)) == size * bodies
    if size <= 100:
        assert len(BATCH.validate_json(batches[0])) == size
