from __future__ import annotations

import numpy as np
import pytest

from ml.events import Events
from ml.protocol import first_of, first_sessions, looked_up, one_session, rows_of, rows_of_table
from tests.ml.any_typing import any_typing, events_of
from tests.ml.rich_crowd import rich_crowd

CROWD = rich_crowd(6, 8, np.random.default_rng(0))


@pytest.fixture(scope="module")
def typing() -> Events:
    rng = np.random.default_rng(1)
    return events_of({(p, s): any_typing(70, rng) for p in range(3) for s in range(9)})


def test_events_give_every_row_of_the_table_with_both_inputs(typing: Events) -> None:
    rows = {row.key: row for row in rows_of(typing, 4, "sentence", days=False)}
    names = ("one", "five", "window")
    assert list(rows) == [f"{seen}_{name}" for seen in ("four", "rich") for name in names]
    assert rows["rich_one"].name == "rich windows, one sentence, history of 4 sentences"
    assert all(row.enrolled.rich == row.key.startswith("rich") for row in rows.values())
    assert rows["four_one"].enrolled.history.shape == (3, 4, 4)
    assert np.bincount(rows["four_five"].enrolled.owner).tolist() == [1, 1, 1]
    assert rows["rich_window"].enrolled.history.shape == (3, 5, 4)


def test_windows_over_days_are_judged_after_all_of_the_history(typing: Events) -> None:
    rows = {row.key: row for row in rows_of(typing, 4, "session", days=True)}
    people = rows["rich_days"].enrolled
    begin = people.later.unix_seconds[people.first_later()]
    assert people.history.shape[1] == 4
    assert (people.past_seconds.max(axis=1) < begin).all()
    assert (np.diff(people.past_seconds, axis=1) < 0).all()


def test_a_row_that_too_few_people_typed_enough_for_is_left_out(typing: Events) -> None:
    keys = [row.key for row in rows_of(typing, 8, "session", days=False)]
    assert keys == ["four_one", "four_window", "rich_one", "rich_window"]


def test_a_table_of_sessions_gives_the_inputs_that_it_has() -> None:
    assert [row.key for row in rows_of_table(CROWD, 5)] == ["four_one", "rich_one"]
    assert [row.key for row in rows_of_table(CROWD.plain(), 5)] == ["four_one"]
    assert list(rows_of_table(CROWD, 8)) == []


def test_without_a_history_everything_is_judged() -> None:
    people = first_sessions(CROWD, 0, rich=True)
    assert people.history.shape == (6, 0, 4)
    assert len(people.later) == len(CROWD)


def test_sessions_can_be_skipped_between_history_and_judgement() -> None:
    people = first_sessions(CROWD, 3, rich=True, skip=2)
    assert people.past_seconds.max() == 1_600_000_000 + 2 * 3_600
    assert people.later.unix_seconds.min() == 1_600_000_000 + 5 * 3_600


def test_the_first_sessions_are_the_first_in_time() -> None:
    turned = CROWD.rows(np.arange(len(CROWD))[::-1])
    assert first_of(turned, 2).unix_seconds.max() == 1_600_000_000 + 3_600


def test_the_same_people_stand_in_both_inputs() -> None:
    four, rich = looked_up([one_session(CROWD, 3, "login")], ("four", "rich"))
    assert np.array_equal(four.enrolled.user, rich.enrolled.user)
    assert four.name == "four numbers, one login, history of 3 logins"
