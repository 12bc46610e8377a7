"""Ray Serve: HAProxy where the environment asks for it, and one replica with `@serve.batch`, up to 64 a batch."""

from __future__ import annotations

import signal
import sys
from typing import Any

import ray
from ray import serve
from starlette.requests import Request

from bench.peers.answers import Answers

QUIET = {"enable_access_log": False, "log_level": "WARNING"}
REPLICA = {"num_replicas": 1, "max_ongoing_requests": 256, "ray_actor_options": {"num_cpus": 1}}


class Scoring:
    """The scorer on one thread of the replica."""

    def __init__(self) -> None:
        self._answers = Answers()

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.001)
    async def score(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Score what has come within a millisecond."""
        return self._answers.of(requests)

    async def __call__(self, request: Request) -> Any:
        return await self.score(await request.json())


if __name__ == "__main__":
    # A cluster of its own: two of these servers may run at once.
    ray.init(address="local", num_cpus=2, include_dashboard=False, configure_logging=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])}, logging_config=QUIET)
    deployment = serve.deployment(Scoring, logging_config=QUIET, **REPLICA)
    serve.run(deployment.bind(), route_prefix="/predict")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    ray.shutdown()
