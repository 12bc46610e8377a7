"""The verification of docs/accuracy.md in a small form: some of the people that chose nothing."""

from __future__ import annotations

import gzip
import os
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from ml.events import Events, read_events
from ml.protocol import Row, first_sessions, rows_of
from ml.real_people import REPORTED, RealPeopleMissingError, is_required, locate, third
from ml.scorer import Scorer
from ml.verification import blind, measure
from ml.windows import sessions_of
from tests.ml.conftest import ROOT

LINES = 200_000  # of the file's 1.26 million: about 90 of the people judged


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Events:
    try:
        path = locate(ROOT, os.environ)
    except RealPeopleMissingError as error:
        if is_required(os.environ):
            raise
        pytest.skip(str(error))
    some: Path = tmp_path_factory.mktemp("real") / "some.csv"
    with gzip.open(path, "rt") as file:
        some.write_text("".join(islice(file, LINES)))
    found = read_events(some)
    return found.rows(third(found.user) == REPORTED)


@pytest.fixture(scope="module")
def rows(events: Events) -> dict[str, Row]:
    return {row.key: row for row in rows_of(events, 10, "sentence", days=False)}


@pytest.mark.parametrize(
    ("key", "most"),  # about half as much again as all 559 people give
    [("four_one", 0.15), ("four_five", 0.10), ("rich_one", 0.06), ("rich_window", 0.06)],
)
def test_real_people_are_told_apart(
    shipped: Scorer, rows: dict[str, Row], key: str, most: float
) -> None:
    measured = measure(shipped, rows[key], seed=0, resamples=5)
    assert measured.counts["people"] > 60
    assert 0.0 < measured.figures["eer"]["value"] < most


def test_five_sentences_with_rich_windows_beat_the_headline_of_synthetic_data(
    shipped: Scorer, rows: dict[str, Row]
) -> None:
    figures = measure(shipped, rows["rich_five"], seed=0, resamples=5).figures
    assert figures["eer"]["value"] < 0.02
    assert figures["frr_at_far_2_1"]["value"] < 0.02
    assert figures["auc"]["value"] > 0.998


def test_without_a_history_nothing_leaks(shipped: Scorer, events: Events) -> None:
    people = first_sessions(sessions_of(events).table(), 0, rich=True)
    found = blind(shipped, people, 40, seed=0)
    assert found["eer"] == pytest.approx(0.5, abs=0.01)
    assert 47 <= found["least_confidence"] <= found["greatest_confidence"] <= 53


def test_nobody_stands_on_both_sides(rows: dict[str, Row]) -> None:
    people = rows["rich_one"].enrolled
    begin = people.later.unix_seconds[people.first_later()]
    assert (people.past_seconds.max(axis=1) <= begin).all()
    assert len(np.unique(people.user)) == len(people)
