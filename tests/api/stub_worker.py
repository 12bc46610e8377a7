"""A worker for tests of the front end's side of the queue: it takes real messages from a real server and answers as
Celery's result backend does, SET and PUBLISH in one transaction. The real worker is held to the same in tests/e2e.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

from redis import Redis

from worker.contract import ALIVE_KEY, ONLINE_QUEUE

Reply = Callable[[dict[str, Any]], dict[str, Any]]


def echo(message: dict[str, Any]) -> dict[str, Any]:
    """Each row answered with itself, so that a test sees who got whose answer."""
    figures = {
        "confidence_score": 50,
        "anomaly_score": 0.5,
        "inference_time_ms": 1.0,
        "reasons": [],
    }
    rows = [{**figures, "echo": row} for row in message["rows"]]
    return {"v": message["v"], "work_seconds": 0.001, "rows": rows}


class StubWorker:
    """Takes one message after the other until `stop`; `messages` are the rows of each."""

    def __init__(self, url: str, reply: Reply = echo, *, publish: bool = True) -> None:
        self._redis = Redis.from_url(url)
        self._reply = reply
        self._publish = publish
        self._stop = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self.messages: list[dict[str, Any]] = []
        self._redis.set(ALIVE_KEY, "stub")
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.gate.set()
        self._thread.join()
        self._redis.delete(ALIVE_KEY)
        self._redis.close()

    def _work(self) -> None:
        while not self._stop.is_set():
            taken = self._redis.brpop([ONLINE_QUEUE], timeout=0.05)
            if taken is None:
                continue
            self.gate.wait()
            envelope = json.loads(taken[1])
            args, _, _ = json.loads(base64.b64decode(envelope["body"]))
            self.messages.append(args[0] if args else {})
            self._answer(envelope["headers"]["id"], args[0] if args else {"v": 1, "rows": []})

    def _answer(self, task_id: str, message: dict[str, Any]) -> None:
        try:
            meta = {"status": "SUCCESS", "result": self._reply(message), "task_id": task_id}
        except Exception as error:
            meta = {"status": "FAILURE", "result": {"exc_type": repr(error)}, "task_id": task_id}
        key = f"celery-task-meta-{task_id}"
        pipeline = self._redis.pipeline()
        pipeline.set(key, json.dumps(meta), ex=60)
        if self._publish:
            pipeline.publish(key, json.dumps(meta))
        pipeline.execute()
