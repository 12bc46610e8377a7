"""How rows become shards, fragments and a plan."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from api.errors import InvalidInputError
from api.jobs import draft as module
from api.jobs.draft import CHUNK_ROWS, Draft, Pattern
from worker.contract import RESULTS_PER_PAGE, SHARDS
from worker.packed import COUNT, ROW


def pattern(shard: int | None, seconds: float = 0.0, more: Any = None) -> Pattern:
    did = None if shard is None else bytes([shard] * 16)
    return Pattern(did, [60.0, 110.0, 90.0, 3.0, 9.0], seconds, more)


def filled(counts: dict[int, int], times: list[float] | None = None) -> Draft:
    """Rows of each shard; fragments are taken whenever the buffers are full."""
    draft = Draft()
    for shard, count in counts.items():
        for n in range(count):
            draft.add(pattern(shard, times[n % len(times)] if times else 0.0))
            if draft.full:
                draft.take()
    draft.take()
    return draft


def test_small_shards_share_a_chunk_and_none_is_cut() -> None:
    plan = [json.loads(chunk) for chunk in filled(dict.fromkeys(range(SHARDS), 20)).plan()]
    assert sum(chunk["rows"] for chunk in plan) == 20 * SHARDS
    assert max(chunk["rows"] for chunk in plan) <= CHUNK_ROWS
    shards = [part[0] for chunk in plan for part in chunk["parts"]]
    assert shards == list(range(SHARDS))
    assert len(plan) == 2


def test_a_long_shard_in_order_of_time_becomes_a_chain() -> None:
    draft = filled({7: 3 * CHUNK_ROWS})
    plan = [json.loads(chunk) for chunk in draft.plan()]
    assert len(plan) > 2
    assert [chunk["after"] for chunk in plan] == [None, *range(len(plan) - 1)]
    assert [chunk["next"] for chunk in plan] == [*range(1, len(plan)), None]
    fragments = [n for chunk in plan for _, a, b in chunk["parts"] for n in range(a, b + 1)]
    assert fragments == list(range(draft.fragments))
    assert sum(chunk["rows"] for chunk in plan) == 3 * CHUNK_ROWS


def test_a_long_shard_without_order_is_one_chunk_as_long_as_a_worker_can_sort_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft = filled({7: 2 * CHUNK_ROWS}, times=[5.0, 1.0])
    (chunk,) = draft.plan()
    assert json.loads(chunk)["rows"] == 2 * CHUNK_ROWS
    monkeypatch.setattr(module, "MOST_ROWS_SORTED", CHUNK_ROWS)
    with pytest.raises(InvalidInputError, match="sort the patterns by timestamp"):
        draft.plan()


def test_nameless_rows_are_spread() -> None:
    draft = Draft()
    for _ in range(2 * SHARDS):
        draft.add(pattern(None))
    assert len(draft.take().fragments) == SHARDS


def test_buffers_are_full_by_bytes_and_empty_after_taking() -> None:
    draft = Draft()
    while not draft.full:
        draft.add(pattern(draft.total % SHARDS, more=([["x" * 1000]], None)))
    assert draft.total * 1000 == pytest.approx(module.BUFFER_BYTES, rel=0.1)
    assert sum(len(text) for _, _, text in draft.take().fragments) > module.BUFFER_BYTES
    assert not draft.full
    assert draft.take().fragments == []


def test_a_fragment_has_its_patterns_in_order_and_beside_them_what_some_bring() -> None:
    draft = Draft()
    draft.add(pattern(7, 5.0))
    draft.add(pattern(8, 6.0))
    draft.add(pattern(7, 4.5, ([[4.0, 60.0]], None)))
    (_, _, text), _ = draft.take().fragments
    rows = [ROW.unpack_from(text, COUNT.size + n * ROW.size) for n in range(2)]
    assert COUNT.unpack_from(text) == (2,)
    assert [(row[0], row[1], row[2][0], row[-1]) for row in rows] == [
        (0, 1, 7, 5.0),
        (2, 1, 7, 4.5),
    ]
    assert json.loads(text[COUNT.size + 2 * ROW.size :]) == [[1, [[4.0, 60.0]], None]]


def test_broken_lines_keep_their_place_in_the_results() -> None:
    draft = Draft()
    draft.add_broken(b'{"index":0}')
    for _ in range(RESULTS_PER_PAGE - 1):
        draft.add(pattern(1))
    draft.add_broken(b'{"index":8192}')
    load = draft.take().compressed()
    assert {page: zlib.decompress(text) for page, text in load.broken.items()} == {
        0: b'{"index":0}',
        1: b'{"index":8192}',
    }
    assert (draft.total, draft.broken) == (RESULTS_PER_PAGE + 1, 2)
