"""Tells the front end that a scoring worker lives: one key that dies with the last of them.

A front end whose deadline has passed learns from it whether to say "no worker" or "too slow".
"""

from __future__ import annotations

import threading

import structlog
from redis import Redis
from redis.exceptions import RedisError

from worker.contract import ALIVE_KEY

BEAT_SECONDS = 0.3
LIFETIME_MS = (
    900  # below the shortest useful deadline: who was killed is known to be dead when it ends
)


class Heartbeat:
    """Renews the key from a thread until `stop`."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._name = name
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin to beat."""
        threading.Thread(target=self._beat_for_ever, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        """End the thread; the key expires by itself, other workers may still renew it."""
        self._stop.set()

    def beat(self) -> bool:
        """Renew the key once; False when Redis did not take it."""
        try:
            self._redis.set(ALIVE_KEY, self._name, px=LIFETIME_MS)
        except (RedisError, OSError):
            return False
        return True

    def _beat_for_ever(self) -> None:
        well = True
        while not self._stop.wait(BEAT_SECONDS):
            beaten = self.beat()
            if beaten != well:
                structlog.get_logger().warning("heartbeat", taken=beaten)
            well = beaten
