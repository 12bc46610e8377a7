"""Items that are checked together are what they would be one by one, or they are checked one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.errors import InvalidInputError
from api.identity import Identities
from api.jobs.reading import JobReader
from api.rows import Reader
from tests.api.front import request_body

NOW = 1_790_000_000.0
IDENTITIES = Identities("a secret of thirty-two characters")
READER = JobReader(Reader(IDENTITIES), IDENTITIES)


def item(**changes: Any) -> bytes:
    return json.dumps({**request_body(), "historical_patterns": None, **changes}).encode()


def test_plain_items_are_the_same_together_as_one_by_one() -> None:
    dids = ["0xABC", "0xabc", "0x742d...", "did:web:example.org:user:17"]
    texts = [item(did=did, timestamp=NOW - n) for n, did in enumerate(dids)]
    texts.append(b"  \t".join([b"", *texts[0].split(b" "), b"\r"]).strip(b" \t") + b"\r")
    texts.append(item())
    together = READER.plain(texts, NOW)
    one_by_one = [READER.one(text, NOW) for text in texts]
    assert together is not None
    assert [(did, tuple(numbers), at) for did, numbers, at, _ in together] == [
        (did, tuple(numbers), at) for did, numbers, at, _ in one_by_one
    ]
    assert [pattern.did_hash is None for pattern in together] == [False, False, True] + [False] * 3
    assert together[0].did_hash == together[1].did_hash
    assert together[-1].unix_seconds == NOW


@pytest.mark.parametrize(
    "odd",
    [
        item(historical_patterns=[]),
        item(timestamp=NOW + 3601),
        item(timestamp="now"),
        item(extra=1),
        b"",
        b"0",
        b"null",
        item()[:-1],
        item() + b"," + item(),
        item() + b"," + item() + b"}",
        b" " + item(),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_whatever_is_not_plain_is_left_to_a_look_at_each(odd: bytes, place: int) -> None:
    texts = [item(), item()]
    texts.insert(place, odd)
    assert READER.plain(texts, NOW) is None


def test_pieces_that_are_whole_together_only_are_not_taken_for_items() -> None:
    one, features = item(), json.dumps(request_body()["features"]).encode()
    halves = [b'{"did":"0xabc"', b'"features":' + features + b"}"]
    assert READER.plain(halves, NOW) is None
    assert READER.plain([*halves, one + b"," + one], NOW) is None
    in_text = [b'{"did":"', b'{","features":' + features + b"}"]
    assert READER.plain([*in_text, one + b"," + one], NOW) is None
    listed = [b'{"did":"0xabc","features":' + features + b',"historical_patterns":[{}', b"{}]}"]
    assert READER.plain([*listed, one + b"," + one], NOW) is None
    for text in (*halves, *in_text, *listed):
        with pytest.raises(InvalidInputError):
            READER.one(text, NOW)


def test_one_item_has_its_history_and_its_windows_beside_it() -> None:
    brought = [{**request_body()["features"], "timestamp": NOW - 60}]
    pattern = READER.one(item(historical_patterns=brought), NOW)
    assert pattern.more is not None
    history, windows = pattern.more
    assert [entry[0] for entry in history] == [NOW - 60]
    assert windows is None
    assert READER.one(item(), NOW).more is None
