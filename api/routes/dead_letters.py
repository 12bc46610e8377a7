"""`/dead-letters`: chunks of bulk jobs that failed too often, for the operator."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api import errors
from api.documented import OPERATIONS, refusals
from api.jobs.shown import DeadLetterList
from api.parts import Parts
from api.refusal import json_response

_LIST = (*OPERATIONS, errors.QueueUnavailableError)
_ONE = (*_LIST, errors.NotFoundError)
_PATH = "/dead-letters/{name}"


def dead_letters_router(parts: Parts) -> APIRouter:
    """The three routes; OPERATIONS_NETWORKS guards them."""
    router = APIRouter(tags=["Operations"])
    letters = parts.jobs.dead

    @router.get(
        "/dead-letters",
        response_model=DeadLetterList,
        responses=refusals("/dead-letters", _LIST),
    )
    async def listed() -> Response:
        """The chunks that failed three times; the patterns in them are failed in their jobs."""
        return json_response({"dead_letters": await letters.all()})

    @router.post(f"{_PATH}/retry", status_code=204, responses=refusals(f"{_PATH}/retry", _ONE))
    async def retry(name: str) -> Response:
        """Scores the chunk once more: its job runs again, and its results replace the failures."""
        await letters.retry(name)
        return Response(status_code=204)

    @router.delete(_PATH, status_code=204, responses=refusals(_PATH, _ONE))
    async def drop(name: str) -> Response:
        """Takes the chunk off the list; its patterns stay failed."""
        await letters.drop(name)
        return Response(status_code=204)

    return router
