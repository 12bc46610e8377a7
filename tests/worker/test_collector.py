from __future__ import annotations

import gc
import weakref

from worker.collector import calm_the_collector


def test_what_was_loaded_is_looked_at_no_more_and_new_garbage_is_still_found() -> None:
    before = gc.get_threshold()
    try:
        calm_the_collector()
        assert gc.get_freeze_count() > 10_000
        found = weakref.ref(Circle())
        gc.collect()
        assert found() is None
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


class Circle:
    """Refers to itself, so that only the collector ends it."""

    def __init__(self) -> None:
        self.myself = self
