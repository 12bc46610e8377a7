"""The model in the front end's process, which keeps its histories as the worker does."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from pydantic_core import from_json
from redis import Redis

from bench.peers.in_process import InProcess
from bench.peers.own_work import OwnWork
from worker.contract import history_key
from worker.settings import WorkerSettings


def test_the_answer_leaves_before_the_history_is_written(redis_url: str) -> None:
    did_hash = secrets.token_hex(16)
    row: list[Any] = [did_hash, [50.0, 100.37, 139.63, 2.4, 14], None, None]

    async def ask_one() -> tuple[Any, int, int]:
        settings = WorkerSettings(redis_url=redis_url, updates_per_day=0)
        (answer,) = await InProcess(settings).score([row])
        with Redis.from_url(redis_url) as redis:
            before: Any = redis.llen(history_key(did_hash))
            await asyncio.sleep(0.01)
            after: Any = redis.llen(history_key(did_hash))
        return answer, before, after

    answer, before, after = asyncio.run(ask_one())
    assert answer["recorded"]
    assert (before, after) == (0, 1)


def test_what_is_alike_enters_once_here_too(redis_url: str) -> None:
    work = OwnWork(WorkerSettings(redis_url=redis_url, updates_per_day=3))
    did_hash = secrets.token_hex(16)
    row: list[Any] = [did_hash, [50.0, 100.37, 139.63, 2.4, 14], None, None]
    worded, entries = work.answer([row, row])
    work.enter(entries)
    with Redis.from_url(redis_url) as redis:
        entered: Any = redis.llen(history_key(did_hash))
    assert [from_json(answer)["recorded"] for answer in worded.rows] == [True, False]
    assert entered == len(entries) == 1


def test_a_full_day_is_full_here_too(redis_url: str) -> None:
    settings = WorkerSettings(redis_url=redis_url, updates_per_day=3)
    assert OwnWork(settings)._history.quota == 3
