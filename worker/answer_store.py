"""Celery's result backend with one round trip for an answer: it is stored and published, nothing is read before.

The stock backend first reads the task's key, lest a message that was delivered twice overwrite a success; a scoring
message is delivered once (no acknowledgement bookkeeping), and the other tasks' results are read by nobody.
"""

from __future__ import annotations

from typing import Any, Final

from celery.backends.redis import RedisBackend
from celery.exceptions import BackendStoreError
from pydantic_core import to_json

MAX_BYTES: Final = 512 * 1024 * 1024  # of one value: Redis' own bound


class AnswerStore(RedisBackend):  # type: ignore[misc]  # Celery is untyped
    """Stores before it publishes, in one pipeline: whoever hears of an answer finds it."""

    def _store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: Any = None,
        request: Any = None,
        **_: Any,
    ) -> Any:
        meta = self._get_result_meta(
            result=result, state=state, traceback=traceback, request=request
        )
        meta["task_id"] = task_id
        encoded = to_json(meta, fallback=repr)
        if len(encoded) > MAX_BYTES:
            raise BackendStoreError("the answer is too large", state=state, task_id=task_id)
        self._set_with_state(self.get_key_for_task(task_id), encoded, state)
        return result

    def _set(self, key: bytes, value: bytes, expires: int | None = None) -> None:
        pipeline = self.client.pipeline(transaction=False)
        pipeline.set(key, value, ex=expires or self.expires or None)
        pipeline.publish(key, value)
        pipeline.execute()
