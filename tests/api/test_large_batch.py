"""A large batch is read bit by bit, and as any other."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest

from api.asking import LARGE_BYTES, Asking
from api.errors import InvalidInputError, OverloadedError
from api.identity import Identities
from api.metrics import ApiMetrics
from api.rows import Reader, Row
from api.schemas import MAX_BATCH
from api.turns import SLICE_SECONDS, Turns
from tests.api.front import HASH_KEY, NOW, app_for, request_body
from tests.api.rich import rich_window
from tests.api.stub_scoring import StubScoring

READER = Reader(Identities(HASH_KEY))


def _many(reader: Reader) -> Asking:
    return Asking("/batch-predict", True, reader, ApiMetrics())


def item(seed: int, windows: int = 20) -> dict[str, Any]:
    body = request_body(did=f"0x{seed:x}")
    body["features"]["session_features"] = [rich_window(seed + n) for n in range(windows)]
    return body


def told(read: Callable[[], list[Row]]) -> Any:
    try:
        return read()
    except InvalidInputError as error:
        return error.detail


def in_turns(body: bytes) -> Any:
    return told(lambda: asyncio.run(READER.read_large_batch(body, NOW)))


def at_once(body: bytes) -> Any:
    return told(lambda: READER.read_batch(body, NOW))


def test_a_large_batch_becomes_the_rows_that_it_becomes_at_once() -> None:
    body = json.dumps([item(n) for n in range(3)] + [request_body(did="0x1...")]).encode()
    assert len(in_turns(body)) == 4
    assert in_turns(body) == at_once(body)


WRONG: list[Any] = [
    *(-1001, 10**400, -0.0, True, "65", None, [], {}, float("nan"), float("-inf"), 1e308),
    *(65, 3.5, "\x00", [1], {"typing_speed_wpm": 1}, 10**19, -(2**63)),
]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_what_is_wrong_is_told_as_it_is_told_at_once(value: Any) -> None:
    places: list[tuple[str | int, ...]] = [
        (),
        ("did",),
        ("features",),
        ("features", "typing_speed_wpm"),
        ("features", "session_features"),
        ("features", "session_features", 0, "version"),
        ("features", "session_features", 0, "statistics", "hold_q10_ms"),
        ("features", "session_features", 0, "counts", "keys"),
        ("historical_patterns",),
        ("historical_patterns", 0, "timestamp"),
        ("historical_patterns", 0, "some"),
    ]
    for place in places:
        items: Any = [item(0, 1), item(1, 1), item(2, 1)]
        within: Any = items
        keys = (1, *place)
        for key in keys[:-1]:
            within = within[key]
        within[keys[-1]] = value
        body = json.dumps(items).encode()
        assert in_turns(body) == at_once(body), place


PLAIN = json.dumps([request_body()]).encode()
NO_BATCH = [
    *(b"", b"[", b"{}", b"[]", b"7", b"\xff", b"[" * 1000, b"[{}]", b'[{"did":"\\ud800"}]'),
    json.dumps([{}] * (MAX_BATCH + 1)).encode(),
    json.dumps([request_body(features=1), 5]).encode(),
    PLAIN.replace(b'"did"', b'"did":"0x1","did"'),
    PLAIN.replace(b'"features"', b'"features":5,"features"'),
]


@pytest.mark.parametrize("body", NO_BATCH, ids=range(len(NO_BATCH)))
def test_what_is_no_batch_is_told_as_it_is_told_at_once(body: bytes) -> None:
    assert in_turns(body) == at_once(body)


def test_too_many_windows_and_times_ahead_are_told_alike() -> None:
    many = json.dumps([item(n) for n in range(100)] + [item(1)]).encode()
    assert in_turns(many) == at_once(many)
    over = json.dumps([item(n, 20) for n in range(80)]).encode().replace(b"[{", b"[{", 1)
    assert in_turns(over) == at_once(over)
    ahead = request_body()
    ahead["historical_patterns"][0]["timestamp"] = NOW + 7200
    body = json.dumps([request_body(), ahead]).encode()
    assert "item 1: historical_patterns[0].timestamp" in in_turns(body)
    assert in_turns(body) == at_once(body)


def test_the_short_way_leaves_large_bodies_to_the_way_that_reads_them_in_turns() -> None:
    express = app_for(StubScoring()).state.express
    for length, taken in ((LARGE_BYTES, True), (LARGE_BYTES + 1, False)):
        headers = [(b"content-length", b"%d" % length)]
        assert (express.asking(b"/batch-predict", headers) is not None) == taken


def test_others_have_turns_while_a_large_batch_is_read() -> None:
    body = json.dumps([item(n) for n in range(60)]).encode()
    assert len(body) > LARGE_BYTES

    async def turns_beside(batch: bytes, asking: Asking) -> int:
        task = asyncio.create_task(asking.read_in_turns(batch, NOW))
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        assert await task == at_once(batch)
        return turns

    seconds = itertools.count(0, SLICE_SECONDS)
    slow = Reader(Identities(HASH_KEY), Turns(monotonic=lambda: next(seconds)))
    instant = Reader(Identities(HASH_KEY), Turns(monotonic=lambda: 0.0))
    assert asyncio.run(turns_beside(body, _many(slow))) > 60
    assert asyncio.run(turns_beside(body, _many(instant))) <= 4
    assert asyncio.run(turns_beside(json.dumps([item(1)]).encode(), _many(slow))) <= 2


def test_a_large_batch_behind_too_many_is_refused_and_the_next_one_is_read() -> None:
    body = json.dumps([item(n) for n in range(60)]).encode()

    async def asked() -> None:
        turns = Turns(wait_seconds=0.01)
        asking = _many(Reader(Identities(HASH_KEY), turns))
        async with turns.mine():
            with pytest.raises(OverloadedError, match="send smaller ones"):
                await asking.read_in_turns(body, NOW)
        assert len(await asking.read_in_turns(body, NOW)) == 60

    asyncio.run(asked())


def test_who_waits_to_be_read_and_leaves_keeps_nobody_waiting() -> None:
    body = json.dumps([item(1, 1)]).encode()
    reader = Reader(Identities(HASH_KEY))

    async def scenario() -> list[Row]:
        tasks = [asyncio.create_task(reader.read_large_batch(body, NOW)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return await reader.read_large_batch(body, NOW)

    assert asyncio.run(scenario()) == at_once(body)
