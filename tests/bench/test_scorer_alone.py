"""The scorer by itself, and what it is held against."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import torch

from bench.peers.answers import MODEL, Answers
from bench.people import HISTORY, People
from bench.samples import Notebook
from bench.scorer_alone import LAYERS, chain, measure, one_pattern_ms, rate, sessions
from bench.supply import Supply, confidences
from ml.coalitions import COALITIONS
from ml.registry import load


def test_people_come_again_where_a_batch_is_larger() -> None:
    given = sessions(People(10), 25)
    assert len(given) == 25
    assert np.array_equal(given.current[0], given.current[20])
    assert set(given.counts) == {HISTORY}


def test_the_chain_has_the_networks_own_shapes() -> None:
    network = load(MODEL).model.network
    shapes = [tuple(p.shape[::-1]) for p in network.parameters() if p.ndim == 2]
    assert shapes == list(itertools.pairwise(LAYERS))
    assert chain(3)().shape == (3 * COALITIONS, 1)


def test_a_rate_counts_patterns_and_calls_at_least_once() -> None:
    calls: list[int] = []
    assert rate(lambda: calls.append(1), 100, 0.0) > 0
    assert len(calls) == 2  # one to warm up


def test_one_round_has_both_for_each_size() -> None:
    torch.set_num_threads(1)
    notes, scorer = Notebook(), load(MODEL)
    measure(scorer, People(10), (64, 100), notes)
    assert sorted(notes.samples) == ["chain/100", "chain/64", "scorer/100", "scorer/64"]
    assert all(len(values) == 1 and values[0] > 0 for values in notes.samples.values())
    assert one_pattern_ms(scorer, People(10)) > 0


def test_a_peers_answers_are_the_scorers_own_in_any_batch() -> None:
    people, answers, scorer = People(), Answers(), load(MODEL)
    drawn = Supply(people).draw(40)
    requests = [json.loads(body) for body in drawn.bodies]
    together = answers.of(requests)
    expected = confidences(scorer, people, drawn)
    assert [answer["confidence_score"] for answer in together] == expected
    assert [answers.of([request])[0] for request in requests[:5]] == together[:5]
    assert sum(together[0]["feature_importance"].values()) == pytest.approx(1, abs=1e-3)


def test_a_peer_knows_nobody_else() -> None:
    with pytest.raises(KeyError):
        Answers().of([{"did": "did:other:1", "features": {}}])
