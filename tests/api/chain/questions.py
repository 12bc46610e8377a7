"""Questions of the chain, and a queue that answers them with what a worker says of its answer."""

from __future__ import annotations

import json
from typing import Any

from api.chain.digests import Digests
from api.chain.question import Question, Questions
from api.identity import Identities
from api.reply import Reply
from tests.api.front import HASH_KEY
from tests.api.stub_scoring import StubScoring
from worker.contract import Answer, RowError

DID = "0x" + "ab" * 32
MODEL = "0123456789abcdef" * 4
HISTORY = "fedcba9876543210" * 4
SEED = "01" * 32
FEATURES = {
    "typing_speed_wpm": 65,
    "avg_key_hold_time_ms": 120,
    "avg_transition_time_ms": 85,
    "error_rate_percent": 3,
    "activity_hour_preference": 14,
}
DIGESTS = Digests(HASH_KEY)


def request(did: str = DID, **features: Any) -> dict[str, Any]:
    """What a node sends."""
    return {"did": did, "features": FEATURES | features}


def reader() -> Questions:
    return Questions(Identities(HASH_KEY), DIGESTS)


def question(did: str = DID, **features: Any) -> Question:
    """One question, read as the service reads it."""
    read = reader().read(json.dumps(request(did, **features)).encode())
    assert isinstance(read, Question)
    return read


class ChainScoring(StubScoring):
    """The stub, which names a model and a history as a worker does for the chain's questions."""

    async def score(self, rows: list[list[Any]]) -> Reply:
        found: list[Answer | RowError] = []
        for row, entry in zip(rows, await super().score(rows), strict=True):
            if "error" in entry or len(row) < 5:
                found.append(entry)
            else:
                found.append({**entry, "provenance": {"model": MODEL, "history": HISTORY}})
        return Reply.worded(found)
