"""The shipped model and an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from ml.registry import load
from ml.scorer import Scorer

MODEL = Path(__file__).resolve().parents[3] / "models" / "production" / "model.pth"


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    return load(MODEL)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client
