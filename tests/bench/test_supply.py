"""Requests that nobody was sent before, and what the scorer says of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from api.schemas import BATCH, PREDICT
from bench.peers.answers import MODEL
from bench.people import FEATURES, People
from bench.supply import Supply, confidences
from ml.guard import replayed
from ml.registry import load
from ml.sessions import Sessions


def test_no_body_comes_twice_and_two_machines_draw_the_same() -> None:
    supply = Supply(People(10))
    bodies = [*supply.bodies(300), *supply.bodies(300)]
    assert len(set(bodies)) == 600
    assert Supply(People(10)).bodies(600) == bodies


def test_everybody_has_a_turn_before_anybody_has_another() -> None:
    supply = Supply(People(7))
    supply.draw(3)
    assert supply.draw(9).owners.tolist() == [3, 4, 5, 6, 0, 1, 2, 3, 4]


def test_every_body_is_valid_and_has_the_numbers_that_were_drawn() -> None:
    people = People(20)
    drawn = Supply(people).draw(40)
    for body, owner, numbers in zip(drawn.bodies, drawn.owners, drawn.numbers, strict=True):
        request = PREDICT.validate_json(body)
        assert request.did == people.dids[owner]
        assert request.historical_patterns is None
        features = json.loads(body)["features"]
        assert [features[name] for name in FEATURES] == numbers.tolist()


def test_a_session_is_no_copy_of_an_earlier_one_and_no_machine_typed_it() -> None:
    people, scorer = People(50), load(MODEL)
    supply = Supply(people)
    earlier, later = supply.draw(50 * 10), supply.draw(50)
    past = earlier.numbers.reshape(10, 50, 4).transpose(1, 0, 2)
    given = Sessions(later.numbers, past, np.full(50, 10), ages_hours=np.ones((50, 10)))
    assert not replayed(given).any()
    assert not scorer.score(given).implausible.any()


def test_a_session_is_judged_beside_its_owners_history() -> None:
    people, scorer = People(30), load(MODEL)
    drawn = Supply(people).draw(30)
    found = confidences(scorer, people, drawn)
    assert len(found) == 30
    assert found != confidences(scorer, People(30, seed=9), drawn)
    assert np.median(found) > 50


@pytest.mark.parametrize(("count", "size"), [(2, 100), (3, 60)])
def test_a_batch_holds_each_person_at_most_once(count: int, size: int) -> None:
    batches = Supply(People(100)).batches(count, size)
    assert len(batches) == count
    for body in batches:
        dids = [item.did for item in BATCH.validate_json(body)]
        assert len(dids) == len(set(dids)) == size
