"""One service for the tests that do not harm it; those that do start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.service import RunningService


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    running = RunningService(tmp_path_factory.mktemp("service"))
    running.redis()
    running.worker()
    running.api()
    try:
        running.wait_healthy()
        yield running
    finally:
        running.stop()


@pytest.fixture
def own_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    running = RunningService(tmp_path_factory.mktemp("own"))
    try:
        yield running
    finally:
        running.stop()
