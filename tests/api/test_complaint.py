from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from api.complaint import MAX_PROBLEMS_NAMED, complain, place, shown
from api.ranges import RANGES
from api.schemas import BATCH, PREDICT
from tests.api.front import request_body, request_with

SPEED = "features.typing_speed_wpm"


def complaint(body: Any) -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ValidationError) as caught:
        PREDICT.validate_json(raw)
    return complain(caught.value)


def batch_complaint(body: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        BATCH.validate_json(json.dumps(body))
    return complain(caught.value, batch=True)


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("end", ["low", "high"])
def test_both_ends_of_a_range_are_accepted_and_beyond_is_named(name: str, end: str) -> None:
    limit = getattr(RANGES[name], end)
    accepted = PREDICT.validate_json(json.dumps(request_with(**{name: limit})))
    assert getattr(accepted.features, name) == limit
    beyond = limit + (1 if end == "high" else -1)
    detail = complaint(request_with(**{name: beyond}))
    assert detail == f"features.{name} must be a number {RANGES[name]} (got {beyond})"


def test_a_range_is_written_for_people() -> None:
    assert str(RANGES["avg_transition_time_ms"]) == "between -1,000 and 10,000"


@pytest.mark.parametrize(
    ("value", "got"),
    [
        ("65", "a string"),
        (True, "a boolean"),
        (None, "null"),
        ([65], "a list"),
        ({}, "an object"),
        (float("nan"), "NaN, Infinity or a number beyond all measure"),
        (float("-inf"), "NaN, Infinity or a number beyond all measure"),
        (10**30, "a number beyond all measure"),
        (10**400, "a number beyond all measure"),
        (400.5, "400.5"),
    ],
)
def test_what_is_no_number_in_range_is_refused_with_what_it_was(value: Any, got: str) -> None:
    detail = complaint(request_with(typing_speed_wpm=value))
    assert detail == f"{SPEED} must be a number between 0 and 400 (got {got})"


def test_a_missing_field_is_named_with_what_it_must_be() -> None:
    body = request_body()
    del body["features"]["typing_speed_wpm"]
    assert complaint(body) == f"{SPEED} is missing; it must be a number between 0 and 400"


def test_an_unknown_field_is_named() -> None:
    assert complaint(request_with(mood="good")) == "features.mood is not a known field"


def test_the_name_of_an_unknown_field_is_cut_short() -> None:
    assert len(complaint(request_with(**{"x" * 10_000: 1}))) < 100


def test_several_problems_are_named_up_to_a_bound() -> None:
    detail = complaint(request_with(**dict.fromkeys(RANGES, "?")))
    assert detail.count(" must be ") == MAX_PROBLEMS_NAMED
    assert detail.endswith("; and 2 more")


def test_a_flood_of_problems_is_counted_not_listed() -> None:
    body = request_body() | {f"field{number}": 1 for number in range(5000)}
    assert complaint(body) == "the body has 5000 problems, such as unknown fields; see /docs"


def test_a_list_stops_at_its_first_bad_item() -> None:
    detail = complaint(request_body(historical_patterns=[{}] * 100))
    assert "historical_patterns[0]." in detail
    assert "historical_patterns[1]." not in detail


def test_a_wrong_did_is_answered_with_the_accepted_forms_and_not_repeated() -> None:
    detail = complaint(request_body(did="alice@example.org"))
    assert detail.startswith("did must be 0x and 1 to 64 hex digits, or a W3C DID")
    assert "alice" not in detail
    assert "did must be" in complaint(request_body(did="did:web:" + "a" * 300))


@pytest.mark.parametrize(
    ("body", "start"),
    [
        (b"", "the body is not valid JSON: EOF"),
        (b"{", "the body is not valid JSON: EOF"),
        (b"\xff\xfe", "the body is not valid JSON: "),
        (b'{"did": "\xff"}', "the body is not valid JSON: "),
        (b'{"did": "\\ud800"}', "the body is not valid JSON: "),
        (b"[" * 100_000, "the body is not valid JSON: recursion limit"),
        (b"{} {}", "the body is not valid JSON: trailing characters"),
        (b"[]", "the body must be an object with did and features (got a list)"),
        (b"null", "the body must be an object with did and features (got null)"),
        (b"17", "the body must be an object with did and features (got 17)"),
    ],
)
def test_what_is_no_json_object_is_said_to_be_none(body: bytes, start: str) -> None:
    assert complaint(body).startswith(start)
    assert len(complaint(body)) < 200


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "the body must be a list of 1 to 100 requests (got 0 items)"),
        ([request_body()] * 101, "the body must be a list of 1 to 100 requests (got 101 items)"),
        (request_body(), "the body must be a list of 1 to 100 requests (got an object)"),
        (
            [request_body(), 3],
            "item 1: the request must be an object with did and features (got 3)",
        ),
    ],
)
def test_a_batch_of_the_wrong_shape_says_which_shape_is_right(body: Any, detail: str) -> None:
    assert batch_complaint(body) == detail


def test_a_batch_names_the_first_bad_item_by_its_index() -> None:
    items = [request_body(), request_body(), request_body(), request_with(typing_speed_wpm=500)]
    expected = f"item 3: {SPEED} must be a number between 0 and 400 (got 500)"
    assert batch_complaint(items) == expected


@pytest.mark.parametrize(
    ("windows", "got"), [([], "0 items"), ([request_body()["historical_patterns"][0]] * 21, "21")]
)
def test_windows_are_one_to_twenty(windows: list[Any], got: str) -> None:
    for window in windows:
        window.pop("timestamp", None)
    detail = complaint(request_with(session_features=windows))
    start = "features.session_features must be a list of 1 to 20 windows (got"
    assert detail.startswith(f"{start} {got}")


def test_a_window_that_is_no_object_is_named() -> None:
    detail = complaint(request_with(session_features=[7]))
    expected = "features.session_features[0] must be an object with the pattern's numbers (got 7)"
    assert detail == expected


def test_a_history_holds_a_hundred_patterns_at_most() -> None:
    patterns = [{**request_body()["historical_patterns"][0], "timestamp": n} for n in range(101)]
    detail = complaint(request_body(historical_patterns=patterns))
    assert detail == "historical_patterns must be a list of 0 to 100 patterns (got 101 items)"


def test_a_place_reads_like_a_path() -> None:
    assert place(("a", 0, "b")) == "a[0].b"
    assert place((2, "a", 0), batch=True) == "item 2: a[0]"
    assert place(()) == "the request"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3.0"), (2.5, "2.5"), (-7, "-7"), (object(), "something else")],
)
def test_only_numbers_of_ordinary_size_are_repeated(value: Any, text: str) -> None:
    assert shown(value) == text
