from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import InvalidInputError
from api.identity import Identities
from api.rows import Reader
from tests.api.front import HASH_KEY, NOW, request_body, request_with

HISTORY = "historical_patterns"


def reader() -> Reader:
    return Reader(Identities(HASH_KEY))


def row(body: dict[str, Any]) -> list[Any]:
    return reader().read_one(json.dumps(body).encode(), NOW)


def pattern(timestamp: float, speed: float = 63) -> dict[str, Any]:
    return {**request_body()[HISTORY][0], "timestamp": timestamp, "typing_speed_wpm": speed}


def complaint(body: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        reader().read_one(json.dumps(body).encode(), NOW)
    return caught.value.detail


def test_the_documented_request_becomes_the_documented_row() -> None:
    did_hash, numbers, history, windows = row(request_body())
    assert did_hash == Identities(HASH_KEY).identify(request_body()["did"])
    assert numbers == [65, 120, 85, 3, 14]
    assert history == [[1704067200, 63, 118, 87, 4, None]]
    assert windows is None


def test_the_did_itself_does_not_enter_the_row() -> None:
    body = request_body()
    assert body["did"].lower() not in json.dumps(row(body)).lower()


def test_an_abbreviated_did_enters_no_row() -> None:
    assert row(request_body(did="0x742d35..."))[0] is None


@given(st.lists(st.integers(0, int(NOW)), unique=True, min_size=1, max_size=100))
def test_a_callers_history_is_sent_newest_first(timestamps: list[int]) -> None:
    history = row(request_body(historical_patterns=[pattern(when) for when in timestamps]))[2]
    assert [entry[0] for entry in history] == sorted(timestamps, reverse=True)


@pytest.mark.parametrize("nothing", [[], None])
def test_no_history_is_no_history_however_it_is_written(nothing: Any) -> None:
    assert row(request_body(historical_patterns=nothing))[2] is None


def test_windows_keep_their_order() -> None:
    numbers = {"avg_key_hold_time_ms": 1, "avg_transition_time_ms": 2, "error_rate_percent": 3}
    windows = [{"typing_speed_wpm": speed, **numbers} for speed in (50, 40, 60)]
    sent = row(request_with(session_features=windows))[3]
    assert sent == [[50, 1, 2, 3], [40, 1, 2, 3], [60, 1, 2, 3]]


def test_a_pattern_of_the_past_may_carry_its_own_hour_and_windows() -> None:
    windows = [{key: value for key, value in pattern(1).items() if key != "timestamp"}]
    rich = {**pattern(5), "activity_hour_preference": 9, "session_features": windows}
    expected = [[5, 63, 118, 87, 4, [[63, 118, 87, 4]]]]
    assert row(request_body(historical_patterns=[rich]))[2] == expected


def test_a_timestamp_may_be_an_hour_ahead_and_no_more() -> None:
    assert row(request_body(historical_patterns=[pattern(NOW + 3600)]))[2][0][0] == NOW + 3600
    detail = complaint(request_body(historical_patterns=[pattern(1), pattern(NOW + 3601)]))
    assert detail.startswith(f"{HISTORY}[1].timestamp must be at most an hour ahead of now")


def test_a_repeated_timestamp_names_both_places() -> None:
    detail = complaint(request_body(historical_patterns=[pattern(1), pattern(2), pattern(1.0)]))
    assert detail.startswith(f"{HISTORY}[2].timestamp must differ from that of {HISTORY}[0]")


def test_milliseconds_are_recognised_as_no_seconds() -> None:
    detail = complaint(request_body(historical_patterns=[pattern(1_704_067_200_000)]))
    assert "Unix seconds" in detail


def test_a_batch_names_the_item_of_a_wrong_timestamp() -> None:
    bad = request_body(historical_patterns=[pattern(NOW + 9999)])
    with pytest.raises(InvalidInputError) as caught:
        reader().read_batch(json.dumps([request_body(), bad]).encode(), NOW)
    assert caught.value.detail.startswith(f"item 1: {HISTORY}[0].timestamp must be")


def test_a_batch_keeps_its_order() -> None:
    bodies = [request_with(typing_speed_wpm=speed) for speed in (30, 20, 40)]
    rows = reader().read_batch(json.dumps(bodies).encode(), NOW)
    assert [each[1][0] for each in rows] == [30, 20, 40]


PLAIN = (
    b'{"did":"0xAB","features":{%b"typing_speed_wpm":65,"avg_key_hold_time_ms":120.5,"avg_transition_time_ms":-8e1,'
    b'"error_rate_percent":3.614458,"activity_hour_preference":14}%b}'
)


@pytest.mark.parametrize(
    "body",
    [
        PLAIN % (b"", b""),
        PLAIN % (b'"activity_hour_preference":1,', b""),
        PLAIN % (b"", b',"did":"0x1"'),
        PLAIN % (b'"typing_speed_wpm":70,', b""),
        b'\n{ "features" : {"activity_hour_preference":0,"error_rate_percent":0,"avg_transition_time_ms":-1,'
        b'"avg_key_hold_time_ms":2,"typing_speed_wpm":1e1}, "d\\u0069d": "did:web:Example" }',
    ],
)
def test_a_plain_request_is_read_as_any_other(body: bytes) -> None:
    same = body.rstrip()[:-1] + b',"historical_patterns":null}'
    plain, usual = reader().read_one(body, NOW), reader().read_one(same, NOW)
    assert plain == usual
    assert [*map(type, plain[1])] == [*map(type, usual[1])] == [float] * 5
    assert reader().read_batch(b"[%b,%b]" % (body, body), NOW) == [usual, usual]


@given(
    st.sampled_from([*request_body()["features"], "did", "features", "some"]),
    st.sampled_from(
        [-1001, 1e9, True, "65", None, [], {}, "0x", "0x1...", float("nan"), float("inf")]
    ),
)
def test_what_is_wrong_with_a_plain_request_is_told_as_with_any_other(
    name: str, value: Any
) -> None:
    plain = request_body(historical_patterns=None)
    del plain[HISTORY]
    (plain if name in {"did", "features", "some"} else plain["features"])[name] = value

    def told(body: Any) -> Any:
        try:
            return row(body)
        except InvalidInputError as error:
            return error.detail

    assert told(plain) == told({**plain, HISTORY: None})
