"""A bare Redis queue that gives back what it takes, one message at a time: `python -m bench.peers.echo`."""

from __future__ import annotations

import os
import time
from typing import Final

from redis import Redis

QUESTIONS: Final = "bench:echo:questions"
ANSWERS: Final = "bench:echo:answers"


class EchoClient:
    """The asking side of the echo."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=5)

    def ask(self, message: bytes) -> None:
        """One message there and back. Raises TimeoutError after 4 s, RuntimeError when another message came back."""
        self._redis.lpush(QUESTIONS, message)
        answer = self._redis.brpop([ANSWERS], timeout=4)
        if answer is None:
            raise TimeoutError("the echo did not answer within 4 s")
        if answer[1] != message:
            raise RuntimeError("the echo answered with another message")

    def round_trips_ms(self, message: bytes, seconds: float) -> list[float]:
        """How long each of the echoes took that fit in `seconds`."""
        taken: list[float] = []
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            self.ask(message)
            taken.append((time.perf_counter() - began) * 1000)
        return taken


def serve(url: str) -> None:
    """Echo until told to stop."""
    redis = Redis.from_url(url, socket_timeout=None)  # it waits for ever
    while True:
        taken = redis.brpop([QUESTIONS], timeout=0)
        if taken is not None:
            redis.lpush(ANSWERS, taken[1])


if __name__ == "__main__":
    serve(os.environ["REDIS_URL"])
