"""The chain's routes, over the stub and a real server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from redis import Redis

from api.errors import ModelNotLoadedError
from api.responses import ChainAnswer, ChainKeysResponse
from scripts.chain_scanner import scan, signed
from tests.api.chain.questions import DID, SEED, ChainScoring, request
from tests.api.front import front, refused

pytestmark = pytest.mark.anyio
OTHER = "0x" + "cd" * 32


@pytest.fixture
def scoring() -> ChainScoring:
    return ChainScoring()


@pytest.fixture
def signing(redis_url: str) -> dict[str, Any]:
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return {"redis_url": redis_url, "chain_key": SEED, "chain_oracle_id": 7}


@pytest.fixture
async def client(
    scoring: ChainScoring, signing: dict[str, Any]
) -> AsyncIterator[httpx.AsyncClient]:
    async with front(scoring, **signing) as asking:
        yield asking


@pytest.mark.parametrize("path", ["/chain/score", "/chain/score/"])
async def test_a_pattern_gets_a_signed_answer_with_and_without_a_slash(
    client: httpx.AsyncClient, path: str
) -> None:
    response = await client.post(path, content=json.dumps(request()))
    assert response.status_code == 200
    ChainAnswer.model_validate_json(response.content)
    read = scan(response.content)
    assert read is not None
    assert signed(read)
    assert read.nonce >> 53 == 7
    assert (await client.post(path, content=json.dumps(request()))).content == response.content


async def test_a_list_gets_a_line_for_each_item_in_order(client: httpx.AsyncClient) -> None:
    asked = [request(OTHER), request(DID), request(DID, typing_speed_wpm=70)]
    response = await client.post("/chain/score", content=json.dumps(asked))
    assert response.status_code == 200
    lines = response.text.splitlines()
    dids = [json.loads(line)["did"] for line in lines]
    assert dids == [OTHER, DID, DID]
    assert [json.loads(line)["confidence_score"] for line in lines] == [65, 65, 70]
    alone = await client.post("/chain/score", content=json.dumps(asked[1]))
    assert alone.text == lines[1]


async def test_an_item_without_an_answer_is_a_line_that_no_scanner_takes_for_one(
    client: httpx.AsyncClient, scoring: ChainScoring
) -> None:
    asked = [request("0x12"), request(DID)]
    response = await client.post("/chain/score", content=json.dumps(asked))
    bad, good = response.content.splitlines()
    assert bad == b'{"error_code":"INVALID_INPUT"}'
    assert scan(bad) is None
    assert scan(good) is not None
    assert len(scoring.rows) == 1


async def test_a_list_without_any_answer_is_refused_as_a_whole(client: httpx.AsyncClient) -> None:
    response = await client.post("/chain/score", content=json.dumps([request("0x12")] * 2))
    assert "item 0: did" in refused(response, 400, "INVALID_INPUT")


@pytest.mark.parametrize(
    ("code", "status"), [("HISTORY_REQUIRED", 409), ("HISTORY_UNAVAILABLE", 503)]
)
async def test_to_abstain_is_an_error_of_the_usual_form_and_no_score(
    client: httpx.AsyncClient, scoring: ChainScoring, code: str, status: int
) -> None:
    scoring.row_errors = {0: code}
    refused(await client.post("/chain/score", content=json.dumps(request())), status, code)


async def test_without_a_model_there_is_no_answer(
    client: httpx.AsyncClient, scoring: ChainScoring
) -> None:
    scoring.failure = ModelNotLoadedError()
    response = await client.post("/chain/score", content=json.dumps(request()))
    refused(response, 503, "MODEL_NOT_LOADED")


async def test_a_body_beyond_ten_patterns_is_not_read(client: httpx.AsyncClient) -> None:
    response = await client.post("/chain/score", content=b" " * 20_000)
    refused(response, 413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("path", ["/chain/keys", "/chain/keys/"])
async def test_the_keys_before_and_after_the_one_that_signs_are_published(
    scoring: ChainScoring, signing: dict[str, Any], path: str
) -> None:
    more: dict[str, Any] = {
        "chain_next_keys": "aa" * 32,
        "chain_previous_keys": "bb" * 32 + "," + "cc" * 32,
    }
    more["chain_genesis_hash"] = "91" * 32
    async with front(scoring, **signing, **more) as client:
        response = await client.get(path)
        answer = (await client.post("/chain/score", content=json.dumps(request()))).json()
    assert response.status_code == 200
    shown = ChainKeysResponse.model_validate_json(response.content)
    states = [(key.state, key.public_key) for key in shown.keys]
    assert states == [
        ("current", answer["public_key"]),
        ("next", "0x" + "aa" * 32),
        ("previous", "0x" + "bb" * 32),
        ("previous", "0x" + "cc" * 32),
    ]
    assert (shown.oracle_id, shown.window_seconds) == (7, 60)
    assert shown.genesis_hash == "0x" + "91" * 32
    assert "signature_v2" in answer


async def test_no_answer_of_the_service_shows_the_seed(client: httpx.AsyncClient) -> None:
    for path in ("/", "/chain/keys", "/openapi.json", "/metrics"):
        assert SEED not in (await client.get(path)).text


async def test_without_a_key_the_door_is_closed_and_says_how_to_open_it() -> None:
    async with front() as client:
        score = await client.post("/chain/score", content=json.dumps(request()))
        keys = await client.get("/chain/keys")
    assert "scripts/make_chain_key.py" in refused(score, 404, "CHAIN_OFF")
    assert "CHAIN_ORACLE_ID" in refused(keys, 404, "CHAIN_OFF")


async def test_answers_inferences_and_abstentions_are_counted(
    client: httpx.AsyncClient, scoring: ChainScoring
) -> None:
    for _ in range(3):
        await client.post("/chain/score", content=json.dumps([request(DID), request(OTHER)]))
    await client.post("/chain/score", content=b"{")
    text = (await client.get("/metrics")).text
    assert "biometrics_chain_answers_total 6.0" in text
    assert "biometrics_chain_scored_total 2.0" in text
    assert 'biometrics_chain_abstentions_total{code="INVALID_INPUT"} 1.0' in text


async def test_a_list_without_an_answer_counts_an_abstention_for_each_item(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post("/chain/score", content=json.dumps([{}, {}, {}]))
    refused(response, 400, "INVALID_INPUT")
    text = (await client.get("/metrics")).text
    assert 'biometrics_chain_abstentions_total{code="INVALID_INPUT"} 3.0' in text


async def test_the_chains_route_is_rate_limited_like_the_others(
    scoring: ChainScoring, signing: dict[str, Any]
) -> None:
    async with front(scoring, **signing | {"rate_limits": "1/hour"}) as client:
        first = await client.post("/chain/score", content=json.dumps(request()))
        second = await client.post("/chain/score/", content=json.dumps(request()))
    assert first.status_code == 200
    refused(second, 429, "RATE_LIMITED")


async def test_the_documented_question_is_answered_with_the_documented_keys(
    client: httpx.AsyncClient,
) -> None:
    shown = (await client.get("/openapi.json")).json()["paths"]["/chain/score"]["post"]
    example = shown["requestBody"]["content"]["application/json"]["example"]
    response = await client.post("/chain/score", content=json.dumps(example))
    answer = shown["responses"]["200"]["content"]["application/json"]["example"]
    assert response.status_code == 200
    assert list(response.json()) == list(answer)
    ChainAnswer.model_validate(answer)
