"""One piece of work behind the next: what mostly waits for Redis runs in a thread while the next chunk is scored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog


class Behind:
    """At most one piece at a time, in the order given. A process that ends waits for the last."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "behind")
        self._last: Future[None] | None = None

    def run(self, work: Callable[[], None]) -> None:
        """Begin this piece when the one before it has ended. What it raises is logged."""
        self.wait()
        self._last = self._pool.submit(_logged, work)

    def wait(self) -> None:
        """Until the last piece has ended."""
        if self._last is not None:
            self._last.result()


def _logged(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        structlog.get_logger().exception("chunk_end_failed")  # the sweep finds what was not sent
