"""A retraining run, around the model's own part (tests/ml holds that)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from redis import Redis

from worker.history import History, Pattern
from worker.promotion import Promotions
from worker.retraining import LOCK_KEY, Retraining, table

MODEL = Path(__file__).resolve().parents[2] / "models" / "production" / "model.pth"


def pattern(n: int) -> Pattern:
    return Pattern(1_790_000_000 + n, (60.0 + n, 100.0, 100.0, 2.0), 9)


@pytest.fixture
def redis(redis_url: str) -> Redis:
    client = Redis.from_url(redis_url)
    client.flushdb()
    return client


def run(redis: Redis, directory: Path) -> Retraining:
    return Retraining(
        History(redis, 50, 180),
        Promotions(directory),
        MODEL,
        redis,
        lock_seconds=60,
        minimum_users=20,
        device="cpu",
    )


def test_the_table_keeps_users_apart_and_their_sessions_in_order_of_time() -> None:
    found = table([[pattern(3), pattern(1)], [], [pattern(2)]])
    assert found.user.tolist() == [0, 0, 2]
    assert found.unix_seconds.tolist() == [1_790_000_001, 1_790_000_003, 1_790_000_002]
    assert found.features[:, 0].tolist() == [61.0, 63.0, 62.0]


def test_nobody_gives_an_empty_table() -> None:
    assert table([]).features.shape == (0, 4)
    assert table([]).user.dtype == np.int64


def test_too_few_users_promote_nothing_and_say_how_many_are_needed(
    redis: Redis, tmp_path: Path
) -> None:
    History(redis, 50, 180).append([(f"{n:02x}", pattern(n)) for n in range(5)])
    outcome = run(redis, tmp_path).run()
    assert outcome["promoted"] is False
    assert outcome["why"] == "5 users have a history, 20 are needed"
    assert list(tmp_path.iterdir()) == []
    assert redis.exists(LOCK_KEY) == 0


def test_two_runs_never_work_at_the_same_time(redis: Redis, tmp_path: Path) -> None:
    redis.set(LOCK_KEY, "another")
    assert run(redis, tmp_path).run() == {
        "promoted": False,
        "why": "another retraining is running",
    }
    assert redis.get(LOCK_KEY) == b"another"
