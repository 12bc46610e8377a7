"""The statistics of a window: strict, named like the wire, and refused with a remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.errors import InvalidInputError
from api.identity import Identities
from api.ranges import COUNTS, MAX_COUNT, STATISTICS
from api.rows import Reader
from api.schemas import (
    MAX_BATCH,
    MAX_BATCH_WINDOWS,
    MAX_HISTORY,
    MAX_PATTERN_WINDOWS,
    MAX_WINDOWS,
    PREDICT,
    WINDOW_EXAMPLE,
)
from tests.api.front import HASH_KEY, NOW, request_body, request_with, settings
from tests.api.rich import NUMBERS, on_the_wire, rich_window
from worker.contract import WINDOW_COUNT_OF, WINDOW_COUNTS, WINDOW_NUMBERS, WINDOW_STATISTICS

READER = Reader(Identities(HASH_KEY))
AT = "features.session_features[0]"


def sent(*windows: dict[str, Any]) -> Any:
    body = request_with(session_features=list(windows))
    return READER.read_one(json.dumps(body).encode(), NOW)[3]


def complaint(window: dict[str, Any]) -> str:
    with pytest.raises(InvalidInputError) as caught:
        sent(window)
    return caught.value.detail


def with_statistic(name: str, value: Any) -> dict[str, Any]:
    window = rich_window()
    return {**window, "statistics": {**window["statistics"], name: value}}


def test_the_schema_the_ranges_and_the_wire_know_the_same_names_in_the_same_order() -> None:
    parts = PREDICT.json_schema()["$defs"]
    assert tuple(STATISTICS) == tuple(parts["Statistics"]["properties"]) == WINDOW_STATISTICS
    assert tuple(COUNTS) == tuple(parts["Counts"]["properties"]) == WINDOW_COUNTS
    assert set(WINDOW_COUNT_OF.values()) <= set(WINDOW_COUNTS)
    assert (len(WINDOW_STATISTICS), len(WINDOW_COUNTS)) == (34, 23)


def test_the_schema_tells_limits_meaning_and_count_of_each_statistic() -> None:
    parts = PREDICT.json_schema()["$defs"]
    for name, limits in STATISTICS.items():
        shown = parts["Statistics"]["properties"][name]
        number = next(each for each in shown["anyOf"] if each["type"] == "number")
        assert (number["minimum"], number["maximum"]) == (limits.low, limits.high)
        assert shown["description"].startswith(limits.meaning)
        assert f"`{WINDOW_COUNT_OF[name]}`" in shown["description"]
    for name, meaning in COUNTS.items():
        assert parts["Counts"]["properties"][name]["description"] == f"{meaning}."
        assert parts["Counts"]["properties"][name]["maximum"] == MAX_COUNT


def test_a_rich_window_becomes_a_flat_list_in_the_order_of_the_wire() -> None:
    first, second = rich_window(1), rich_window(2)
    assert sent(first, second) == [on_the_wire(first), on_the_wire(second)]
    assert len(on_the_wire(first)) == WINDOW_NUMBERS


def test_what_is_missing_is_null_and_counted_as_nothing() -> None:
    scarce = {**NUMBERS, "version": 1, "statistics": {"hold_space": None}, "counts": {"keys": 10}}
    assert sent(scarce) == [[*NUMBERS.values(), *[None] * 34, 10, *[0] * 22]]


def test_the_documented_example_is_taken() -> None:
    assert sent(WINDOW_EXAMPLE) == [on_the_wire(WINDOW_EXAMPLE)]


def test_the_request_that_the_readme_shows_is_taken() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    (shown,) = re.findall(r"```json\n(.*?)```", readme, re.DOTALL)
    (sent_window,) = READER.read_one(shown.encode(), NOW)[3]
    assert len(sent_window) == WINDOW_NUMBERS


def test_windows_with_and_without_statistics_may_stand_together() -> None:
    assert [len(window) for window in sent(NUMBERS, rich_window())] == [4, WINDOW_NUMBERS]


def test_a_pattern_of_the_past_brings_its_own_windows() -> None:
    past = [
        {**NUMBERS, "timestamp": when, "session_features": [rich_window(when)]} for when in (5, 9)
    ]
    body = request_body(historical_patterns=[*past, {**NUMBERS, "timestamp": 7}])
    history = READER.read_one(json.dumps(body).encode(), NOW)[2]
    assert [(entry[0], entry[5]) for entry in history] == [
        (9, [on_the_wire(rich_window(9))]),
        (7, None),
        (5, [on_the_wire(rich_window(5))]),
    ]


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_is_taken_at_both_ends_of_its_range_and_named_beyond(name: str) -> None:
    limits = STATISTICS[name]
    for end in (limits.low, limits.high):
        assert end in sent(with_statistic(name, end))[0]
    for beyond in (limits.low - 1, limits.high + 1):
        said = f"{AT}.statistics.{name} must be null or a number {limits} (got {beyond:.15g})"
        assert complaint(with_statistic(name, beyond)) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"statistics": None}, "must have version, statistics and counts, all three or none"),
        ({"counts": None}, "must have version, statistics and counts, all three or none"),
        ({"version": None}, "must have version, statistics and counts, all three or none"),
        ({"version": 2}, f"{AT}.version must be the whole number 1, with statistics and counts"),
        ({"version": 0}, "with statistics and counts (got 0)"),
        ({"version": "1"}, "with statistics and counts (got a string)"),
        ({"version": True}, "with statistics and counts (got a boolean)"),
        ({"version": 1.0}, "with statistics and counts (got 1.0)"),
        ({"statistics": [1]}, f"{AT}.statistics must be an object with the window's statistics"),
        ({"statistics": {"hold_moon": 1}}, f"{AT}.statistics.hold_moon is not a known field"),
        ({"statistics": {"hold_space": "1"}}, "must be null or a number between -5 and 5 (got a"),
        ({"counts": {"keys": 1.5}}, "counts.keys must be a whole number between 0 and 10,000"),
        ({"counts": {"keys": True}}, "counts.keys must be a whole number between 0 and 10,000"),
        ({"counts": {"keys": -1}}, "counts.keys must be a whole number between 0 and 10,000"),
        ({"counts": {"keys": 10_001}}, "counts.keys must be a whole number between 0 and 10,000"),
        ({"counts": {"moons": 1}}, f"{AT}.counts.moons is not a known field"),
    ],
)
def test_what_is_wrong_with_a_window_is_named(change: dict[str, Any], said: str) -> None:
    assert said in complaint({**rich_window(), **change})


@pytest.mark.parametrize("name", WINDOW_STATISTICS)
def test_a_statistic_without_its_count_is_refused_with_both_names(name: str) -> None:
    window, count = rich_window(), WINDOW_COUNT_OF[name]
    window["counts"].pop(count)
    for other, behind in WINDOW_COUNT_OF.items():
        if behind == count and other != name:
            window["statistics"][other] = None
    assert complaint(window) == (
        f"{AT}.statistics.{name} must be null or left out where counts.{count} is 0 or left out"
    )


def counting(**counts: int) -> dict[str, Any]:
    return {**NUMBERS, "version": 1, "statistics": {}, "counts": counts}


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"keys": 9}, "counts.keys must be at least 10 (got 9); join the window"),
        ({}, "counts.keys must be at least 10 (got 0); join the window"),
        (
            {"keys": 40, "holds": 41},
            "counts.holds + counts.shifts must be at most counts.keys (got 41 and 40)",
        ),
        (
            {"keys": 40, "holds": 38, "shifts": 3},
            "counts.holds + counts.shifts must be at most counts.keys (got 41 and 40)",
        ),
        ({"keys": 40, "pairs": 1}, "counts.pairs must be at most counts.holds (got 1 and 0)"),
        (
            {"keys": 40, "holds": 20, "spaces": 9, "finger_3": 9, "backspaces": 3},
            "must be at most counts.holds (got 21 and 20)",
        ),
        (
            {"keys": 40, "holds": 1, "shifts": 2},
            "counts.shifts must be at most counts.holds (got 2 and 1)",
        ),
        (
            {"keys": 40, "holds": 30, "pairs": 20, "left_left": 12, "from_space": 9},
            "must be at most counts.pairs (got 21 and 20)",
        ),
        (
            {"keys": 40, "holds": 30, "pairs": 20, "overlaps": 21},
            "counts.overlaps must be at most counts.pairs (got 21 and 20)",
        ),
        (
            {"keys": 40, "holds": 30, "pairs": 20, "triples": 21},
            "counts.triples must be at most counts.pairs (got 21 and 20)",
        ),
        (
            {"keys": 40, "holds": 30, "pairs": 20, "to_space": 1},
            "counts.to_space must be at most counts.spaces (got 1 and 0)",
        ),
        (
            {"keys": 40, "holds": 30, "pairs": 20, "spaces": 2, "from_space": 3},
            "counts.from_space must be at most counts.spaces (got 3 and 2)",
        ),
    ],
)
def test_counts_that_cannot_all_be_true_are_refused_with_both_and_a_remedy(
    counts: dict[str, int], said: str
) -> None:
    told = complaint(counting(**counts))
    assert told.startswith(f"{AT}.counts.")
    assert said in told
    assert "count each key and each pair of the window once" in told or "or leave out" in told


def test_a_batch_names_the_item_and_the_pattern_of_a_broken_window() -> None:
    half = {**NUMBERS, "timestamp": 5, "session_features": [{**NUMBERS, "version": 1}]}
    bodies = [request_body(), request_body(historical_patterns=[half])]
    with pytest.raises(InvalidInputError) as caught:
        READER.read_batch(json.dumps(bodies).encode(), NOW)
    where = "item 1: historical_patterns[0].session_features[0] must have version"
    assert caught.value.detail.startswith(where)


def request_of(*lengths: int) -> dict[str, Any]:
    """A session and its past, the session first, of so many windows each."""
    first, *rest = ([rich_window(n) for n in range(length)] for length in lengths)
    past = [
        {**NUMBERS, "timestamp": when + 0.123456, "session_features": windows}
        for when, windows in enumerate(rest)
    ]
    features = {**request_body()["features"], "session_features": first}
    return request_body(features=features, historical_patterns=past)


@pytest.mark.parametrize("lengths", [[MAX_WINDOWS] * 12 + [10], [2] * 50 + [3] * 50])
def test_as_many_windows_as_a_request_may_have_are_taken(lengths: list[int]) -> None:
    assert sum(lengths) == MAX_PATTERN_WINDOWS
    row = READER.read_one(json.dumps(request_of(*lengths)).encode(), NOW)
    assert sum(len(windows) for windows in (row[3], *(entry[5] for entry in row[2]))) == 250


def test_a_window_too_many_in_all_is_refused_with_the_bound_wherever_it_comes() -> None:
    one = json.dumps(request_of(*[MAX_WINDOWS] * 12, 11)).encode()
    batch = json.dumps([request_of(*[MAX_WINDOWS] * 2)] * 63).encode()
    for read, body, most, got in (
        (READER.read_one, one, MAX_PATTERN_WINDOWS, "251"),
        (READER.read_job_line, one, MAX_PATTERN_WINDOWS, "251"),
        (READER.read_batch, batch, MAX_BATCH_WINDOWS, "2,520"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            read(body, NOW)
        assert f"at most {most:,} windows" in caught.value.detail
        assert f"(got {got})" in caught.value.detail


def test_the_fullest_requests_that_are_allowed_fit_the_default_body_limit() -> None:
    limit = settings().max_body_bytes
    assert len(json.dumps(request_of(*[MAX_WINDOWS] * 12, 10))) <= limit
    past = [{**NUMBERS, "timestamp": when + 0.123456} for when in range(MAX_HISTORY)]
    batch = [request_body(historical_patterns=past)] * MAX_BATCH
    assert len(json.dumps(batch)) <= limit
