"""Mosec: a Rust front in a process of its own, batches of up to 64 to one Python worker process."""

from __future__ import annotations

from typing import Any

from mosec import Server, Worker

from bench.peers.answers import Answers


class Scoring(Worker):
    """One worker process with the scorer on one thread."""

    def __init__(self) -> None:
        super().__init__()
        self._answers = Answers()

    def forward(self, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Score what mosec has put together."""
        return self._answers.of(data)


if __name__ == "__main__":
    server = Server()
    # Without a full batch it waits this long; 1 ms is the least that it takes, the default is 10.
    server.append_worker(Scoring, num=1, max_batch_size=64, max_wait_time=1, route="/predict")
    server.run()
