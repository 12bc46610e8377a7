"""`POST /predict` and `POST /batch-predict`: bytes in, bytes out, everything between is the queue's.

Most requests for them never come here: `api.express` answers those that arrive whole.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.asking import Asking
from api.body import read_body
from api.documented import SCORING, limited, refusals
from api.parts import Parts
from api.refusal import JSON
from api.responses import ANSWER_EXAMPLE, FIRST_ANSWER_EXAMPLE, PredictResponse


def askings(parts: Parts) -> tuple[Asking, Asking]:
    """What `/predict` and `/batch-predict` do."""
    return (
        Asking("/predict", False, parts.reader, parts.metrics),
        Asking("/batch-predict", True, parts.reader, parts.metrics),
    )


def scoring_router(parts: Parts) -> APIRouter:
    """The two routes that score."""
    router = APIRouter(tags=["Scoring"])
    one, many = askings(parts)

    @router.post(
        one.path,
        response_model=PredictResponse,
        responses=limited(refusals(one.path, SCORING), ANSWER_EXAMPLE),
    )
    async def predict(request: Request) -> Response:
        """How sure the service is that this session was typed by the person behind the DID."""
        return await _serve(parts, one, request)

    @router.post(
        many.path,
        response_model=list[PredictResponse],
        responses=limited(refusals(many.path, SCORING), [FIRST_ANSWER_EXAMPLE] * 2),
    )
    async def batch_predict(request: Request) -> Response:
        """Up to 100 sessions at once, answered in their order; one bad item refuses the batch."""
        return await _serve(parts, many, request)

    return router


async def _serve(parts: Parts, asking: Asking, request: Request) -> Response:
    parts.scoring.refuse_if_crowded()
    body = await read_body(request, parts.settings.max_body_bytes, parts.read_seconds)
    rows = await asking.read_in_turns(body, parts.clock())
    return Response(asking.word(rows, await parts.scoring.score(rows)), media_type=JSON)
