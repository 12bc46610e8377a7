from __future__ import annotations

import gc
import weakref

from api.collector import calm_the_collector, hold_the_collector


class Circle:
    """Refers to itself, so that only the collector ends it."""

    def __init__(self) -> None:
        self.myself = self


def test_what_was_loaded_is_looked_at_no_more_and_new_garbage_is_still_found() -> None:
    before = gc.get_threshold()
    try:
        hold_the_collector()
        loaded = weakref.ref(Circle())
        calm_the_collector()
        assert gc.isenabled()
        found = weakref.ref(Circle())
        gc.collect()
        assert found() is None
        assert loaded() is not None
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        gc.collect()
