"""`POST /predict` and `POST /batch-predict`: bytes in, bytes out, everything between is the queue's."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from api.body import read_body
from api.documented import SCORING, limited, refusals
from api.errors import ApiError, InternalError, error_for
from api.parts import Parts
from api.refusal import json_response
from api.responses import ANSWER_EXAMPLE, FIRST_ANSWER_EXAMPLE, PredictResponse
from api.rows import Question
from worker.contract import Answer, Reason, RowError


def scoring_router(parts: Parts) -> APIRouter:
    """The two routes that score."""
    router = APIRouter(tags=["Scoring"])

    @router.post(
        "/predict",
        response_model=PredictResponse,
        responses=limited(refusals("/predict", SCORING), ANSWER_EXAMPLE),
    )
    async def predict(request: Request) -> Response:
        """How sure the service is that this session was typed by the person behind the DID."""
        parts.scoring.refuse_if_crowded()
        body = await read_body(request, parts.settings.max_body_bytes, parts.read_seconds)
        question = parts.reader.read_one(body, parts.clock())
        entries = await parts.scoring.score([question.row])
        return json_response(_answers(parts, [question], entries)[0])

    @router.post(
        "/batch-predict",
        response_model=list[PredictResponse],
        responses=limited(refusals("/batch-predict", SCORING), [FIRST_ANSWER_EXAMPLE] * 2),
    )
    async def batch_predict(request: Request) -> Response:
        """Up to 100 sessions at once, answered in their order; one bad item refuses the batch."""
        parts.scoring.refuse_if_crowded()
        body = await read_body(request, parts.settings.max_body_bytes, parts.read_seconds)
        questions = parts.reader.read_batch(body, parts.clock())
        entries = await parts.scoring.score([question.row for question in questions])
        return json_response(_answers(parts, questions, entries, batch=True))

    return router


def _answers(
    parts: Parts,
    questions: list[Question],
    entries: list[Answer | RowError],
    *,
    batch: bool = False,
) -> list[Answer]:
    """The answers, complete with what only the front end knows. Raises the first item's error, if any."""
    if len(entries) != len(questions):
        raise InternalError
    answers: list[Answer] = []
    for index, (question, entry) in enumerate(zip(questions, entries, strict=True)):
        if "error" in entry:
            raise _failure(cast("RowError", entry), index if batch else None)
        answer = entry
        if question.abbreviated:
            answer = {**answer, "reasons": [Reason.DID_ABBREVIATED, *answer["reasons"]]}
        parts.metrics.observe_answer(answer)
        answers.append(answer)
    return answers


def _failure(entry: RowError, item: int | None) -> ApiError:
    error = error_for(entry["error"])
    if item is None:
        return error
    return type(error)(f"item {item}: {error.detail}")
