"""The steps by which docs/chain.md changes a key, seen by who knows nothing but what `GET /chain/keys` tells."""

from __future__ import annotations

import itertools
import json
from typing import Any

import httpx
import pytest

from api.chain.keys import SigningKey
from api.redis_client import open_redis
from scripts.chain_scanner import scan, signed
from tests.api.chain.questions import ChainScoring, request
from tests.api.front import front

pytestmark = pytest.mark.anyio
OLD, NEW = "01" * 32, "02" * 32
OLD_PUBLIC, NEW_PUBLIC = (SigningKey(bytes.fromhex(seed)).public.hex() for seed in (OLD, NEW))
BEFORE: dict[str, Any] = {"chain_key": OLD}
ANNOUNCED: dict[str, Any] = {"chain_key": OLD, "chain_next_keys": NEW_PUBLIC}
CHANGED: dict[str, Any] = {"chain_key": NEW, "chain_previous_keys": OLD_PUBLIC}
AFTER: dict[str, Any] = {"chain_key": NEW}
_numbers = itertools.count()


@pytest.fixture
async def clean(redis_url: str) -> dict[str, Any]:
    async with open_redis(redis_url) as client:
        await client.flushdb()
    return {"redis_url": redis_url, "chain_oracle_id": 1}


async def answer(client: httpx.AsyncClient, did: int | None = None) -> bytes:
    """The answer to a question about this DID, or one that was never asked before."""
    number = 1_000 + next(_numbers) if did is None else did
    response = await client.post("/chain/score", content=json.dumps(request(f"0x{number:064x}")))
    assert response.status_code == 200, response.text
    return response.content


async def keys(client: httpx.AsyncClient) -> dict[str, str]:
    """The published keys and their states."""
    published = (await client.get("/chain/keys")).json()["keys"]
    return {each["public_key"]: each["state"] for each in published}


async def verified(client: httpx.AsyncClient, body: bytes) -> bool:
    """Whether an answer is signed by one of the keys that this front end publishes."""
    read = scan(body)
    assert read is not None
    return signed(read) and f"0x{read.public_key.hex()}" in await keys(client)


@pytest.mark.parametrize(
    ("step", "next_step"), [(BEFORE, ANNOUNCED), (ANNOUNCED, CHANGED), (CHANGED, AFTER)]
)
async def test_while_front_ends_are_restarted_one_by_one_each_ones_keys_verify_both(
    clean: dict[str, Any], step: dict[str, Any], next_step: dict[str, Any]
) -> None:
    async with (
        front(ChainScoring(), **clean, **step) as one,
        front(ChainScoring(), **clean, **next_step) as other,
    ):
        answers = [await answer(one), await answer(other)]
        assert all([await verified(each, body) for each in (one, other) for body in answers])


async def test_without_the_announcement_the_new_keys_answers_are_refused(
    clean: dict[str, Any],
) -> None:
    async with (
        front(ChainScoring(), **clean, **BEFORE) as one,
        front(ChainScoring(), **clean, **CHANGED) as other,
    ):
        assert not await verified(one, await answer(other))


async def test_an_answer_of_the_window_keeps_its_signature_until_its_key_is_taken_off(
    clean: dict[str, Any],
) -> None:
    states, given, believed = [], [], []
    for step in (BEFORE, ANNOUNCED, CHANGED, AFTER):
        async with front(ChainScoring(), **clean, **step) as client:
            given.append(await answer(client, did=7))
            believed.append(await verified(client, given[-1]))
            states.append(await keys(client))
            assert await verified(client, await answer(client))
    old, new = f"0x{OLD_PUBLIC}", f"0x{NEW_PUBLIC}"
    assert states == [
        {old: "current"},
        {old: "current", new: "next"},
        {new: "current", old: "previous"},
        {new: "current"},
    ]
    assert set(given) == {given[0]}
    assert believed == [True, True, True, False]
