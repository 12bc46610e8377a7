"""`POST /chain/score` and `GET /chain/keys`: what off-chain workers ask, with and without a slash at the end."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.body import read_body
from api.chain.door import Door
from api.chain.oracle import CUT_SECONDS
from api.chain.question import Item
from api.documented import CHAIN, CHAIN_KEYS, refusals
from api.errors import ApiError, ChainOffError
from api.metrics import ApiMetrics
from api.parts import Parts
from api.refusal import JSON, json_response
from api.responses import CHAIN_ANSWER_EXAMPLE, ChainAnswer, ChainKeysResponse

MAX_BODY_BYTES: Final = 16 * 1024  # ten patterns are 3 KiB
LINES: Final = "application/x-ndjson"

_SCORED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One answer; for a list one line for each item, in order",
        "content": {
            JSON: {"example": CHAIN_ANSWER_EXAMPLE},
            LINES: {"schema": {"type": "string"}},
        },
    }
}


def chain_router(parts: Parts) -> APIRouter:
    """The chain's two routes, which answer 404 CHAIN_OFF where no key is configured."""
    router = APIRouter(tags=["Chain"])

    @router.post(
        "/chain/score",
        response_model=ChainAnswer,
        responses=_SCORED | refusals("/chain/score", CHAIN),
    )
    @router.post("/chain/score/", include_in_schema=False)
    async def score(request: Request) -> Response:
        """One pending pattern or a list of up to 10, answered with signed integers or not at all."""
        ends = time.monotonic() + CUT_SECONDS
        door = _open(parts)
        seconds = min(parts.read_seconds, CUT_SECONDS)
        try:
            asked = door.questions.read(await read_body(request, MAX_BODY_BYTES, seconds))
            answer = None if isinstance(asked, list) else await door.oracle.answer(asked, ends)
        except ApiError as error:
            parts.metrics.chain_abstentions.labels(error.code).inc()
            raise
        if isinstance(asked, list):
            return Response(await _lines(door, parts.metrics, asked, ends), media_type=LINES)
        parts.metrics.chain_answers.inc()
        return Response(answer, media_type=JSON)

    @router.get(
        "/chain/keys",
        response_model=ChainKeysResponse,
        responses=refusals("/chain/keys", CHAIN_KEYS),
    )
    @router.get("/chain/keys/", include_in_schema=False)
    async def keys() -> Response:
        """The public keys: the one that signs, those that will and those that did."""
        return json_response(_open(parts).description)

    return router


def _open(parts: Parts) -> Door:
    if parts.chain is None:
        raise ChainOffError
    return parts.chain


async def _lines(door: Door, metrics: ApiMetrics, items: list[Item], ends: float) -> bytes:
    """A line for each item, an abstention with its code and nothing that a reader could take for a score.

    Raises the first item's error where no item has an answer.
    """
    outcomes = await asyncio.gather(*(_outcome(door, item, ends) for item in items))
    errors = [each for each in outcomes if isinstance(each, ApiError)]
    for error in errors:
        metrics.chain_abstentions.labels(error.code).inc()
    if len(errors) == len(items):
        raise type(errors[0])(f"item 0: {errors[0].detail}")
    metrics.chain_answers.inc(len(items) - len(errors))
    return b"".join(_line(outcome) + b"\n" for outcome in outcomes)


async def _outcome(door: Door, item: Item, ends: float) -> bytes | ApiError:
    if isinstance(item, ApiError):
        return item
    try:
        return await door.oracle.answer(item, ends)
    except ApiError as error:
        return error


def _line(outcome: bytes | ApiError) -> bytes:
    if isinstance(outcome, ApiError):
        return b'{"error_code":"%s"}' % outcome.code.encode()
    return outcome
