"""A dispatcher for tests, with short deadlines, and what came of a call to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from api.dispatch import Dispatcher, Row
from api.errors import ApiError
from api.metrics import ApiMetrics
from api.settings import Settings

TIMEOUT_SECONDS = 0.6


def settings(url: str, **changes: Any) -> Settings:
    values = {
        "redis_url": url,
        "did_hash_key": "k" * 32,
        "predict_timeout_seconds": TIMEOUT_SECONDS,
        **changes,
    }
    return Settings(_env_file=None, **values)


@asynccontextmanager
async def dispatcher(url: str, **changes: Any) -> AsyncIterator[Dispatcher]:
    running = Dispatcher(settings(url, **changes), ApiMetrics())
    await running.start()
    try:
        yield running
    finally:
        await running.close()


def row(n: int) -> Row:
    return [f"{n:04x}", [65, 120, 85, 3, 14], None, None]


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 30))


async def outcome(call: Coroutine[Any, Any, Any]) -> tuple[type, float]:
    began = time.monotonic()
    try:
        result = await call
    except ApiError as error:
        return type(error), time.monotonic() - began
    return type(result), time.monotonic() - began
