"""The front end's stages of a budget: from the body's bytes to the message, and from the reply to the answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine
from typing import Any

from limits import parse_many
from pydantic_core import to_json

from api.access.rates import RateLimits
from api.asking import Asking
from api.envelope import EnvelopeFactory
from api.identity import Identities
from api.metrics import ApiMetrics
from api.reply import Reply
from api.reply import read as read_result
from api.rows import Reader
from worker.celery_app import create_celery
from worker.contract import CHANNELS, ONLINE_QUEUE, SCORE_TASK, WIRE_VERSION, Answer
from worker.outcome import Outcome
from worker.worded import Worded

HASH_KEY = "k" * 32
LIMITS = "1000000/second;60000000/minute"  # on, and too high to refuse anybody
ENDLESS = "1000000000/second;1000000000/minute"
NOW = 1_800_000_000.0
BODY = json.dumps(
    {
        "did": "did:example:alice",
        "features": {
            "typing_speed_wpm": 65,
            "avg_key_hold_time_ms": 120,
            "avg_transition_time_ms": 65,
            "error_rate_percent": 3,
            "activity_hour_preference": 14,
        },
    }
).encode()
ANSWER: Answer = {
    "confidence_score": 71,
    "anomaly_score": 0.4313,
    "feature_importance": dict.fromkeys(CHANNELS, 0.1667),
    "model_version": "1.0.0",
    "inference_time_ms": 1.25,
    "history_used": 10,
    "history_source": "server",
    "recorded": True,
    "decision": "accept",
    "reasons": [],
}


class Counts:
    """Counts in memory: a store without a round trip."""

    def __init__(self) -> None:
        self._sum = 0

    async def _add(self, amount: int) -> int:
        self._sum += amount
        return self._sum

    def incr(self, key: str, expiry: int, amount: int = 1) -> Coroutine[Any, Any, int]:
        """As `api.access.rates.Counts`."""
        return self._add(amount)


def message(size: int) -> dict[str, Any]:
    """A scoring message of `size` patterns, as `api.dispatch` makes it."""
    rows = [reader().read_one(BODY, NOW) for _ in range(size)]
    return {"v": WIRE_VERSION, "sent": NOW, "deadline": NOW + 1, "rows": rows}


def reader() -> Reader:
    """What reads bodies."""
    return Reader(Identities(HASH_KEY))


def envelope(size: int) -> bytes:
    """The bytes on the queue."""
    return _factory().build("instance.1", message(size), NOW)


def request_stages() -> dict[str, Callable[[], object]]:
    """A call of each stage that every request has for itself."""
    read, metrics = reader(), ApiMetrics()
    asking, rows = Asking("/predict", False, read, metrics), [read.read_one(BODY, NOW)]
    reply = Reply.of(read_result(_stored(1))["result"])
    return {
        "limit: one client's two limits": _limited(metrics),
        "parse, validate, hash the DID": lambda: read.read_one(BODY, NOW),
        "respond: metrics and bytes of the answer": lambda: asking.word(rows, reply),
    }


def front_stages(size: int) -> dict[str, Callable[[], object]]:
    """A call of each stage that `size` patterns share as one message."""
    factory, asked, stored = _factory(), message(size), _stored(size)
    return {
        "dispatch: the message's bytes": lambda: factory.build("i.1", asked, NOW),
        "await: the reply's bytes read": lambda: Reply.of(read_result(stored)["result"]),
    }


def outcome(size: int) -> Outcome:
    """What a worker makes of a message of `size` patterns."""
    rows = [to_json(ANSWER)] * size
    worded = Worded(rows, [71] * size, [0.4313] * size, [0] * size, ANSWER["inference_time_ms"])
    return Outcome(worded, {"v": WIRE_VERSION, "work_seconds": 0.001})


def _stored(size: int) -> bytes:
    meta = to_json({"status": "SUCCESS", "task_id": "instance.1", "traceback": None})
    return b'{"result":%b,%b' % (outcome(size).text(), meta[1:])


def _factory() -> EnvelopeFactory:
    return EnvelopeFactory(create_celery("memory://"), SCORE_TASK, ONLINE_QUEUE, "instance")


def _limited(metrics: ApiMetrics) -> Callable[[], object]:
    limits = RateLimits(tuple(parse_many(ENDLESS)), Counts(), metrics, lambda: NOW)
    scope = {"type": "http", "method": "POST", "path": "/predict", "client": ("192.0.2.1", 1)}
    asyncio.run(limits(dict(scope)))  # leases a million

    def check() -> None:
        with contextlib.suppress(StopIteration):
            limits(dict(scope)).send(None)

    return check
