"""What may be asked, and when two requests ask the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.chain.question import Question
from api.errors import InvalidInputError
from tests.api.chain.questions import DID, FEATURES, question, reader, request
from tests.api.front import HASH_KEY


def refusal(body: Any) -> str:
    with pytest.raises(InvalidInputError) as refused:
        reader().read(body if isinstance(body, bytes) else json.dumps(body).encode())
    return refused.value.detail


def test_a_pattern_becomes_a_row_with_its_question_and_no_did() -> None:
    asked = question()
    row = asked.row(3)
    assert row == [
        asked.did_hash,
        [65.0, 120.0, 85.0, 3.0, 14.0],
        None,
        None,
        [asked.digest[:16], 3],
    ]
    assert "ab" * 32 not in json.dumps(row)


def test_spaces_order_and_case_do_not_make_another_question() -> None:
    turned = {"features": dict(reversed(FEATURES.items())), "did": "0x" + "AB" * 32}
    assert reader().read(json.dumps(turned, indent=3).encode()) == question()


@pytest.mark.parametrize("name", FEATURES)
def test_each_feature_makes_another_question(name: str) -> None:
    assert question(DID, **{name: FEATURES[name] + 1}).digest != question().digest


@given(st.integers(1, 2**256 - 1), st.integers(1, 2**256 - 1))
def test_two_dids_never_ask_the_same(first: int, second: int) -> None:
    same = question(f"0x{first:064x}").digest == question(f"0x{second:064x}").digest
    assert same == (first == second)


@pytest.mark.parametrize(
    "did",
    [
        *("0x742d35...", "0x" + "a" * 63, "0x" + "a" * 65, "ab" * 32, "0X" + "ab" * 32),
        *("did:web:example.org", DID + "\n", "0x" + "g" * 64),
    ],
)
def test_a_did_that_is_not_32_bytes_of_hex_is_refused(did: str) -> None:
    assert "0x and exactly 64 hex digits" in refusal(request(did))


def test_a_did_of_zeros_is_refused_since_all_people_would_share_its_history() -> None:
    assert "all zeros" in refusal(request("0x" + "0" * 64))


@pytest.mark.parametrize("value", [65.0, 65.5, "65", True, None, -1, 2**32, 10**40])
def test_what_is_no_whole_number_in_range_is_refused(value: Any) -> None:
    assert "typing_speed_wpm" in refusal(request(typing_speed_wpm=value))


@pytest.mark.parametrize(
    ("value", "got"), [(65.0, "65.0"), (-1, "-1"), (401, "401"), ("65", "a string")]
)
def test_what_a_number_must_be_is_said_as_the_chain_knows_it(value: Any, got: str) -> None:
    said = f"features.typing_speed_wpm must be a whole number between 0 and 400 (got {got})"
    assert refusal(request(typing_speed_wpm=value)) == said
    assert "whole number between 0 and 10,000" in refusal(request(avg_transition_time_ms=-1))


def test_a_field_that_nobody_reads_is_refused() -> None:
    assert "not a known field" in refusal(request() | {"historical_patterns": []})


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b"[" * 1000, b'{"did":NaN}', b"\xff", b"3", b"null", b'"x"']
)
def test_what_is_no_object_and_no_list_is_refused(body: bytes) -> None:
    assert refusal(body)


@pytest.mark.parametrize("count", [0, 11])
def test_a_list_holds_one_to_ten(count: int) -> None:
    assert f"got {count} items" in refusal([request()] * count)


def test_a_bad_item_leaves_the_others_of_its_list_alone() -> None:
    items = reader().read(json.dumps([request(), request("0x12"), request(DID)]).encode())
    assert isinstance(items, list)
    assert [isinstance(item, Question) for item in items] == [True, False, True]
    assert isinstance(items[1], InvalidInputError)
    assert items[0] == items[2]


def test_the_secret_is_part_of_the_digest_and_not_of_the_question() -> None:
    assert HASH_KEY not in repr(question())
