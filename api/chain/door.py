"""All of the chain's door, opened where a signing key is configured."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from api.chain.answer import Signer
from api.chain.digests import Digests
from api.chain.judge import Judge
from api.chain.keys import signing_key
from api.chain.oracle import CUT_SECONDS, Oracle
from api.chain.question import Questions
from api.chain.window import Window
from api.identity import Identities
from api.metrics import ApiMetrics
from api.ports import Scoring
from api.redis_client import open_redis
from api.settings import Settings


@dataclass(frozen=True)
class Door:
    """What the routes below `/chain` are bound to; `description` is what `GET /chain/keys` publishes."""

    questions: Questions
    oracle: Oracle
    description: dict[str, Any]
    store: Redis

    async def close(self) -> None:
        """End what is under way and close the connections."""
        await self.oracle.close()
        await self.store.aclose()


def open_door(
    settings: Settings, scoring: Scoring, metrics: ApiMetrics, clock: Callable[[], float]
) -> Door | None:
    """The door as the settings describe it, None without a key. Raises SettingsError. Opens no connection yet."""
    key = signing_key(settings)
    if key is None or settings.chain_oracle_id is None:
        return None
    secret = settings.did_hash_key.get_secret_value()
    digests = Digests(secret)
    # The cut alone tells what is too late: in a crowd the loop may read a reply long after Redis gave it.
    store = open_redis(
        settings.result_url, connect_seconds=CUT_SECONDS, command_seconds=CUT_SECONDS
    )
    window = Window(store, settings.chain_oracle_id, settings.chain_window_seconds)
    judge = Judge(
        scoring, window, digests, metrics, required=settings.chain_require_history, clock=clock
    )
    genesis = bytes.fromhex(settings.chain_genesis_hash)
    oracle = Oracle(
        judge,
        window,
        Signer(key, settings.chain_oracle_id, genesis),
        monotonic=time.monotonic,
        token=lambda: secrets.token_hex(8),
    )
    questions = Questions(Identities(secret), digests)
    return Door(questions, oracle, describe(settings, key.public), store)


def describe(settings: Settings, public: bytes) -> dict[str, Any]:
    """Who signs and how, for those who verify: the key that signs, those that will, and those that did."""
    states = {
        "current": (public.hex(),),
        "next": settings.chain_next_keys,
        "previous": settings.chain_previous_keys,
    }
    genesis = settings.chain_genesis_hash
    return {
        "oracle_id": settings.chain_oracle_id,
        "window_seconds": settings.chain_window_seconds,
        "genesis_hash": f"0x{genesis}" if genesis else None,
        "keys": [
            {"public_key": f"0x{each}", "state": state}
            for state, keys in states.items()
            for each in keys
        ],
    }
