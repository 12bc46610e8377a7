"""Everything that the routes for jobs need, opened and closed as one."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable

from pydantic_core import to_json
from starlette.requests import Request

from api.access.client import client_name
from api.access.keys import HEADER, key_hash
from api.errors import InvalidInputError, NotFoundError
from api.identity import Identities
from api.jobs.board import Board, Job
from api.jobs.courier import Courier
from api.jobs.dead import DeadLetters
from api.jobs.intake import Bounds, Intake
from api.jobs.names import Names, ready
from api.jobs.outbox import Call, Outbox
from api.jobs.reading import JobReader
from api.jobs.resolver import Resolver
from api.jobs.shown import shown
from api.jobs.store import JobStore
from api.jobs.target import TargetError, Targets
from api.redis_client import open_redis
from api.rows import Reader
from api.settings import Settings

COMMAND_SECONDS = 10.0  # megabytes travel in one command, and nobody waits for a second
CONNECTIONS = 32
MAX_SHOWN_CHARACTERS = 40


class JobDesk:
    """Takes jobs in, tells of them, hands out results."""

    def __init__(
        self, settings: Settings, reader: Reader, clock: Callable[[], float], silent_seconds: float
    ) -> None:
        self._redis = open_redis(
            settings.jobs_url, max_connections=CONNECTIONS, command_seconds=COMMAND_SECONDS
        )
        self._broker = open_redis(settings.broker_url, command_seconds=COMMAND_SECONDS)
        secret = settings.did_hash_key.get_secret_value()
        self._secret = secret.encode()
        self._keys_needed = bool(settings.api_key_hashes)
        bounds = Bounds(
            settings.job_max_patterns,
            settings.job_max_bytes,
            settings.max_body_bytes,  # whatever /predict takes is a line of a job
            silent_seconds,
            settings.job_result_seconds,
        )
        job_reader = JobReader(reader, Identities(secret))
        self._intake = Intake(job_reader, JobStore(self._redis), bounds, clock)
        self._names = Names(self._broker, settings.broker_url)
        self.board = Board(self._redis, clock)
        self.dead = DeadLetters(self._redis, self._names, clock)
        self._resolver = Resolver()
        self._targets = Targets(
            settings.callback_hosts, settings.callback_networks, self._resolver.look_up
        )
        key = settings.callback_key.get_secret_value().encode()
        outbox = Outbox(self._redis, settings.callback_seconds)
        self._courier = Courier(outbox, self._targets, key, self._told_of, clock)
        self._calls_back = bool(settings.callback_hosts)

    async def start(self) -> None:
        """Begin to tell of jobs that ended, where callbacks are on."""
        if self._calls_back:
            self._courier.start()

    async def close(self) -> None:
        """Stop telling, and close the connections."""
        await self._courier.close()
        self._resolver.close()
        await asyncio.gather(self._redis.aclose(), self._broker.aclose())

    async def submit(self, request: Request) -> Job:
        """The job that the request's body became, or the one that it was before. Raises ApiError."""
        url = _callback_url(request)
        callback = None if url is None else self._targets.accept(url)
        job_id, plan = await self._intake.take(request, self.owner(request), callback)
        await self._names.send(job_id, ready(plan))
        return await self.board.status(job_id)

    async def job(self, request: Request, job_id: str) -> Job:
        """A job that this caller may see: with keys, its own; without, any whose id it knows.

        Raises NotFoundError.
        """
        job = await self.board.status(job_id)
        if self._keys_needed and job["owner"] != self.owner(request):
            raise NotFoundError("no such job; it may have expired")
        return job

    def owner(self, request: Request) -> str:
        """Who the caller is, as a keyed hash: by its API key, or by its address where none is needed."""
        key = request.headers.get(HEADER) if self._keys_needed else None
        name = f"key:{key_hash(key)}" if key else f"client:{client_name(request.scope)}"
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:32]

    async def _told_of(self, call: Call) -> bytes:
        """What a callback sends: the job as `GET /jobs/{id}` shows it, without the callback itself."""
        job = await self.board.status(call.job_id)
        if job["finished"] != float(call.finished):
            raise TargetError("the job runs again")
        return to_json({k: v for k, v in shown(job).items() if k != "callback"})


def _callback_url(request: Request) -> str | None:
    """The one query parameter of a new job. A misspelt one, left out in silence, would call nobody at the end."""
    given = request.query_params.multi_items()
    for name, _ in given:
        if name != "callback_url":
            shown = name[:MAX_SHOWN_CHARACTERS]
            raise InvalidInputError(
                f"POST /jobs has no query parameter {shown!r}; the only one is callback_url"
            )
    if len(given) > 1:
        raise InvalidInputError("callback_url must be given once")
    return given[0][1] if given else None
