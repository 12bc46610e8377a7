"""Celery's consumer, which comes back to the broker within two seconds however long that was away."""

from __future__ import annotations

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0  # Celery's pauses grow to 30 s, in which nobody is answered


class Consumer(CeleryConsumer):  # type: ignore[misc]  # Celery is untyped
    """Only the pauses between two attempts to connect differ."""

    def ensure_connected(self, conn: Any) -> Any:
        """A connected connection; waits as long as it takes."""
        conn.ensure_connection = partial(
            conn.ensure_connection,
            interval_start=FIRST_PAUSE_SECONDS,
            interval_step=FIRST_PAUSE_SECONDS,
            interval_max=LONGEST_PAUSE_SECONDS,
        )
        return super().ensure_connected(conn)
