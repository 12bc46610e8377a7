from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from worker.collector import THRESHOLDS, calm_the_collector


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_is_never_looked_through_again_and_what_is_new_still_is() -> None:
    loaded: list[list[int]] = [[] for _ in range(1000)]
    calm_the_collector()
    assert gc.get_freeze_count() > len(loaded)
    assert gc.get_threshold() == THRESHOLDS
    circle: list[object] = []
    circle.append(circle)
    del circle
    assert gc.collect() == 1
