"""LitServe: a FastAPI front in one process, batches of up to 64 to one worker process."""

from __future__ import annotations

import sys
from typing import Any

import litserve as ls

from bench.peers.answers import Answers


class Scoring(ls.LitAPI):
    """Takes what has come within a millisecond, at most 64 requests."""

    def setup(self, device: str) -> None:
        """Called once in the worker process."""
        self._answers = Answers()

    def predict(self, x: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Score a batch."""
        return self._answers.of(x)

    def batch(self, inputs: list[Any]) -> list[Any]:
        """The requests stay a list."""
        return list(inputs)

    def unbatch(self, output: list[Any]) -> list[Any]:
        """So do the answers."""
        return output


if __name__ == "__main__":
    api = Scoring(max_batch_size=64, batch_timeout=0.001, api_path="/predict")
    server = ls.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
