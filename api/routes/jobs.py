"""`/jobs`: a million patterns at once, scored when the online work leaves room, fetched in input order."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from api import errors
from api.documented import EVERYWHERE, refusals
from api.errors import InvalidInputError, NotFoundError
from api.jobs.board import Job
from api.jobs.shown import JOB_EXAMPLE, JobList, JobResponse, shown
from api.parts import Parts
from api.refusal import json_response

_ID = re.compile(r"[0-9a-f]{32}")
_OFFSET = re.compile(r"[0-9]{1,7}")
_NDJSON = "application/x-ndjson"
_READING = (*EVERYWHERE, errors.UnauthorizedError, errors.QueueUnavailableError)
_ONE = (*_READING, errors.NotFoundError)
_SENDING = (
    *_READING,
    errors.InvalidInputError,
    errors.RequestTimeoutError,
    errors.ConflictError,
    errors.BodyTooLargeError,
    errors.OverloadedError,
    errors.StorageFullError,
)


def jobs_router(parts: Parts) -> APIRouter:
    """The routes of bulk jobs."""
    router = APIRouter(tags=["Jobs"])
    _submission(router, parts)
    _reading(router, parts)
    return router


def _submission(router: APIRouter, parts: Parts) -> None:
    @router.post(
        "/jobs",
        status_code=202,
        response_model=JobResponse,
        responses={
            202: {"content": {"application/json": {"example": JOB_EXAMPLE}}},
            **refusals("/jobs", _SENDING),
        },
        openapi_extra={"parameters": [_KEY_PARAMETER, _CALLBACK_PARAMETER]},
    )
    async def submit(request: Request) -> Response:
        """Stores up to a million patterns and scores them in the background; broken ones are named in the results.

        The body is a JSON list, or one pattern on each line (NDJSON), plain or with `Content-Encoding: gzip`. Sent
        again with the same `Idempotency-Key`, or without one and with the same content, it is the same job. At its end
        the job is posted to `callback_url`, signed; see docs/reliability.md.
        """
        job = await parts.jobs.submit(request)
        return json_response(shown(job), 202, {"Location": f"/jobs/{job['job_id']}"})

    @router.delete("/jobs/{job_id}", status_code=204, responses=refusals("/jobs/{job_id}", _ONE))
    async def cancel(request: Request, job_id: str) -> Response:
        """Cancels a job that runs, forgets one that has ended; either way its patterns and results are gone."""
        await parts.jobs.board.cancel(await _job(parts, request, job_id))
        return Response(status_code=204)


def _reading(router: APIRouter, parts: Parts) -> None:
    @router.get("/jobs", response_model=JobList, responses=refusals("/jobs", _READING))
    async def mine(request: Request) -> Response:
        """The caller's own jobs, newest first: by API key, or by address where no key is needed."""
        jobs = await parts.jobs.board.mine(parts.jobs.owner(request))
        return json_response({"jobs": [shown(job) for job in jobs]})

    @router.get(
        "/jobs/{job_id}",
        response_model=JobResponse,
        responses={
            200: {"content": {"application/json": {"example": JOB_EXAMPLE}}},
            **refusals("/jobs/{job_id}", _ONE),
        },
    )
    async def status(request: Request, job_id: str) -> Response:
        """How far a job is."""
        return json_response(shown(await _job(parts, request, job_id)))

    @router.get(
        "/jobs/{job_id}/results",
        response_class=Response,
        responses={
            200: {"content": {_NDJSON: {"schema": {"type": "string"}}}},
            **refusals("/jobs/{job_id}/results", (*_ONE, errors.InvalidInputError)),
        },
        openapi_extra={"parameters": [_OFFSET_PARAMETER]},
    )
    async def results(request: Request, job_id: str) -> Response:
        """One line for each pattern in input order, from `offset` up to the first that has no result yet.

        A line is the answer of `/predict` with the pattern's `index`, or `index`, `error_code` and `detail`. Whoever
        was interrupted goes on with the number of lines received as `offset`.
        """
        offset = _offset(request.query_params.get("offset", "0"))
        job = await _job(parts, request, job_id)
        if job["state"] == "cancelled":
            raise NotFoundError("the job was cancelled and has no results")
        lines = parts.jobs.board.results(job, offset)
        first = await anext(lines, b"")  # while a failure can still be told by its status
        return StreamingResponse(
            _joined(first, lines), media_type=_NDJSON, headers={"Job-State": job["state"]}
        )


_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The caller's own name for this job, 1 to 255 characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_CALLBACK_PARAMETER = {
    "name": "callback_url",
    "in": "query",
    "required": False,
    "description": "Where the job's end is reported: an https URL on a host of the operator's CALLBACK_HOSTS.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 2048},
}
_OFFSET_PARAMETER = {
    "name": "offset",
    "in": "query",
    "required": False,
    "description": "The first pattern whose result is wanted, counted from 0.",
    "schema": {"type": "integer", "minimum": 0, "maximum": 9_999_999, "default": 0},
}


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _job(parts: Parts, request: Request, job_id: str) -> Job:
    if not _ID.fullmatch(job_id):
        raise NotFoundError("no such job; it may have expired")
    return await parts.jobs.job(request, job_id)


def _offset(text: str) -> int:
    if not _OFFSET.fullmatch(text):
        raise InvalidInputError("offset must be a whole number from 0 to 9999999")
    return int(text)
