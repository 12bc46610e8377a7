from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.cuts import evenly, joined, stretches, together
from ml.events import Events
from ml.keystrokes import Stretches
from ml.statistics import COUNTED, COUNTS, WINDOWS, pool
from ml.windows import sessions_of
from tests.ml.any_typing import any_typing, even_typing, events_of
from tests.ml.rich_crowd import rich_crowd

KEYS = COUNTED.start + COUNTS.index("keys")
PAIRS = COUNTED.start + COUNTS.index("pairs")


def typing(people: int, sessions: int, keys: int) -> Events:
    rng = np.random.default_rng(people + sessions + keys)
    return events_of(
        {(p, s): any_typing(keys + 5 * s, rng) for p in range(people) for s in range(sessions)}
    )


def test_stretches_are_cut_across_sessions_and_no_pair_crosses_an_edge() -> None:
    events = events_of({(1, 0): even_typing("asdf" * 10), (1, 1): even_typing("jkl" * 14)})
    found = stretches(events, 40)
    assert found.derived is not None
    assert found.derived[:, KEYS].tolist() == [40, 40]  # 2 of 82 are a rest
    assert found.derived[:, PAIRS].tolist() == [39, 39]
    crossing = stretches(events, 41)
    assert crossing.derived is not None
    assert crossing.derived[:, PAIRS].tolist() == [39, 40]


def test_stretches_are_those_of_each_person_alone() -> None:
    events = typing(4, 3, 60)
    found = stretches(events, 50)
    for person in range(4):
        own = stretches(events.rows(events.user == person), 50)
        rows = found.rows(found.user == person)
        assert np.array_equal(rows.features, own.features)
        assert np.array_equal(rows.unix_seconds, own.unix_seconds)
        assert (np.diff(rows.unix_seconds) >= 0).all()


def test_several_sessions_together_have_the_numbers_of_all_their_keys() -> None:
    events = typing(3, 8, 30)
    typed = sessions_of(events)
    found = together(events, typed, after=2, many=3)
    assert found.user.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.derived is not None
    for i, (person, first) in enumerate((p, f) for p in range(3) for f in (2, 5)):
        among = (events.user == person) & (events.session >= first) & (events.session < first + 3)
        own = events.rows(among)
        whole = Stretches(own, np.zeros(len(own), dtype=np.int64)).windows()[0]
        assert found.features[i] == pytest.approx(whole[:4])
        assert found.derived[i] == pytest.approx(pool(Stretches(own, own.sessions()).windows()))
        assert found.derived[i, WINDOWS] == 3


def test_a_rest_and_sessions_too_short_to_count_are_not_pooled() -> None:
    rng = np.random.default_rng(3)
    lengths = [30, 5, 30, 30, 30]  # the second is none
    events = events_of({(1, s): any_typing(n, rng) for s, n in enumerate(lengths)})
    found = together(events, sessions_of(events), after=1, many=2)
    assert len(found) == 1
    assert found.derived is not None
    assert found.derived[0, KEYS] == 60
    assert len(together(events, sessions_of(events), after=1, many=4)) == 0


def test_sessions_follow_one_another_by_their_clock_not_by_their_number() -> None:
    events = typing(2, 4, 40)
    turned = Events(
        events.user,
        9 - events.session,
        events.start_ms,
        events.press,
        events.release,
        events.key,
    )
    order = np.lexsort((turned.press, turned.session, turned.user))
    turned = turned.rows(order)
    one, other = (together(e, sessions_of(e), 1, 3) for e in (events, turned))
    assert np.allclose(one.features, other.features)


def test_at_most_so_many_are_kept_evenly_spread() -> None:
    table = rich_crowd(3, 10, np.random.default_rng(0))
    kept = evenly(table, 4)
    assert np.bincount(kept.user - 100).tolist() == [4, 4, 4]
    gaps = np.diff(kept.unix_seconds.reshape(3, 4), axis=1) / 3_600
    assert gaps.min() >= 2
    assert gaps.max() <= 3
    assert len(evenly(table, 10)) == len(evenly(table, 99)) == 30


def test_joined_sessions_are_one_in_which_no_pair_crosses_an_edge() -> None:
    events = events_of({(u, s): even_typing("password123") for u in (3, 8) for s in range(7)})
    assert len(sessions_of(events)) == 0
    found = sessions_of(joined(events, 3))
    assert found.user.tolist() == [3, 3, 8, 8]  # the seventh is a rest
    assert found.session.tolist() == [0, 1, 0, 1]
    assert found.unix_seconds.tolist() == [1_500_000_000, 1_500_000_180] * 2
    derived = found.table().derived_rows()
    assert derived[:, KEYS].tolist() == [33.0] * 4
    assert derived[:, PAIRS].tolist() == [30.0] * 4
    assert found.features[:, 0] == pytest.approx(60.0)  # the minutes between are no typing


def test_joined_sessions_measure_what_sessions_together_measure() -> None:
    events = typing(3, 6, 30)
    typed = sessions_of(events)
    several = together(events, typed, after=0, many=2)
    whole = sessions_of(joined(events, 2))
    assert whole.features == pytest.approx(several.features)
    assert np.array_equal(whole.unix_seconds, several.unix_seconds)


def test_sessions_are_joined_in_order_of_time() -> None:
    events = typing(1, 4, 20)
    turned = replace(events, session=9 - events.session)
    turned = turned.rows(np.lexsort((turned.press, turned.session, turned.user)))
    one, other = (sessions_of(joined(each, 2)) for each in (events, turned))
    assert np.allclose(one.windows, other.windows, equal_nan=True)
