"""A retraining run, around the model's own part (tests/ml holds that)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from redis import Redis

from ml.registry import manifest
from tests.ml.other_house import other_house
from worker.history import Entry, History
from worker.promotion import Promotions
from worker.records import Pattern
from worker.retraining import LOCK_KEY, Retraining, table, user_number

pytestmark = pytest.mark.timeout(300)  # two trainings

MODEL = Path(__file__).resolve().parents[2] / "models" / "production" / "model.pth"
SERIES = manifest(MODEL).version.rpartition(".")[0]


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
    found = table([("a1", [pattern(3), pattern(1)]), ("b2", []), ("c3", [pattern(2)])])
    first, second = user_number("a1"), user_number("c3")
    assert found.user.tolist() == [first, first, second]
    assert found.unix_seconds.tolist() == [1_790_000_001, 1_790_000_003, 1_790_000_002]
    assert found.features[:, 0].tolist() == [61.0, 63.0, 62.0]


def test_a_user_has_the_same_number_whoever_else_is_found_and_in_whatever_order() -> None:
    histories = [(f"{n:032x}", [pattern(n)]) for n in range(500)]
    numbers = dict(zip([key for key, _ in histories], table(histories).user, strict=True))
    assert len(set(numbers.values())) == 500
    assert min(numbers.values()) >= 0
    fewer = histories[::-3]
    assert table(fewer).user.tolist() == [numbers[key] for key, _ in fewer]


def test_the_number_of_a_hash_is_the_one_that_earlier_releases_gave() -> None:
    assert user_number("00ff") == 2391599762042878006


def test_nobody_gives_an_empty_table() -> None:
    assert table([]).features.shape == (0, 4)
    assert table([]).user.dtype == np.int64


def test_too_few_users_promote_nothing_and_say_how_many_are_needed(
    redis: Redis, tmp_path: Path
) -> None:
    History(redis, 50, 180).append([Entry(f"{n:02x}", pattern(n)) for n in range(5)])
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


def record_other_house(redis: Redis) -> None:
    """220 users whose typing is steadier than that of the people the shipped model was made for."""
    found = other_house()
    rows = zip(found.user, found.unix_seconds, found.features.tolist(), strict=True)
    entries = [Entry(f"{user:032x}", Pattern(int(at), tuple(row))) for user, at, row in rows]
    History(redis, 50, 180).append(entries)


@pytest.fixture(scope="module")
def promoted(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The models after a run that found a promoted one which cannot be used, and what the run says."""
    directory = tmp_path_factory.mktemp("promoted")
    unusable = f"{SERIES}.1"
    (directory / "current").write_text(f"{unusable}\n")
    (directory / unusable).mkdir()
    (directory / unusable / "model.pth").write_bytes(b"no model")
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        record_other_house(redis)
        return directory, dict(run(redis, directory).run())


def test_a_promoted_model_that_cannot_be_used_gives_way_to_the_shipped_one(
    promoted: tuple[Path, dict[str, Any]],
) -> None:
    _, first = promoted
    assert first["promoted"] is True, first
    assert first["version"] == f"{SERIES}.2"
    assert first["shipped"] == first["current"]


def test_what_was_promoted_is_not_promoted_again_for_the_same_histories(
    redis: Redis, promoted: tuple[Path, dict[str, Any]]
) -> None:
    directory, first = promoted
    record_other_house(redis)
    second = run(redis, directory).run()
    assert second["current"] == first["candidate"] == second["candidate"]
    assert second["shipped"] == first["shipped"]
    assert "shipped" in second["why"]
