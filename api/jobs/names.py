"""Sends the names of chunks. A name that is lost is sent again by the sweep."""

from __future__ import annotations

import json
import uuid
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.envelope import EnvelopeFactory
from worker.celery_app import create_celery
from worker.contract import BULK_QUEUE, BULK_TASK


class Names:
    """Puts chunks on the bulk queue, all of a job in one round trip."""

    def __init__(self, broker: Redis, broker_url: str) -> None:
        self._broker = broker
        instance = uuid.uuid4().hex
        self._envelope = EnvelopeFactory(create_celery(broker_url), BULK_TASK, BULK_QUEUE, instance)

    async def send(self, job_id: str, chunks: list[int]) -> None:
        """Never fails: what cannot be sent now is found by the sweep."""
        messages = [self._message(job_id, chunk) for chunk in chunks]
        push: Any = self._broker.lpush
        try:
            if messages:
                await push(BULK_QUEUE, *messages)
        except (RedisError, OSError) as error:
            structlog.get_logger().warning("chunks_left_to_the_sweep", error=repr(error))

    def _message(self, job_id: str, chunk: int) -> bytes:
        argument = {"job": job_id, "chunk": chunk}
        return self._envelope.build(str(uuid.uuid4()), argument, None)


def ready(plan: list[str]) -> list[int]:
    """The chunks of a plan that wait for no other."""
    return [number for number, chunk in enumerate(plan) if json.loads(chunk)["after"] is None]
