"""FastAPI and Celery as most people join them: a task for each request, and `.get()` in a thread.

`python -m bench.peers.celery_get api PORT` or `... worker`; both read REDIS_URL.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from celery import Celery
from fastapi import FastAPI

from api.schemas import PredictRequest

THREADS = 64  # one for each connection of the load
TIMEOUT_SECONDS = 10

URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
celery = Celery("peer", broker=URL, backend=URL)
celery.conf.update(result_expires=60, worker_prefetch_multiplier=4)


@cache
def answers() -> Any:
    """The scorer, loaded in the worker only."""
    from bench.peers.answers import Answers  # noqa: PLC0415  # the API holds no torch

    return Answers()


@celery.task(name="peer.score")
def score(request: dict[str, Any]) -> dict[str, Any]:
    """One request, one task."""
    answer: dict[str, Any] = answers().of([request])[0]
    return answer


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield


app = FastAPI(lifespan=_lifespan)


@app.post("/predict")
def predict(request: PredictRequest) -> dict[str, Any]:
    """Validated as the service validates; FastAPI runs this in a thread."""
    answer: dict[str, Any] = score.delay(request.model_dump()).get(timeout=TIMEOUT_SECONDS)
    return answer


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        answers()
        celery.worker_main(["worker", "--pool=solo", "--loglevel=ERROR", "--without-gossip"])
    else:
        uvicorn.run(app, port=int(sys.argv[2]), log_level="warning", access_log=False)
