"""Celery's result backend with one round trip for an answer: it is stored and published, nothing is read before.

The stock backend first reads the task's key, lest a message that was delivered twice overwrite a success. What
`send_off` sends, the server stores only where nothing is stored yet. Other workers keep the stock backend.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import structlog
from celery.backends.redis import RedisBackend
from celery.exceptions import BackendStoreError
from celery.states import SUCCESS
from pydantic_core import to_json
from redis.exceptions import RedisError

from worker.kept_connection import Command, KeptConnection

MAX_BYTES: Final = 512 * 1024 * 1024  # of one value: Redis' own bound


class AnswerStore(RedisBackend):  # type: ignore[misc]  # Celery is untyped
    """Stores before it publishes: whoever hears of an answer finds it."""

    _left: tuple[bytes, bytes] | None = None
    """Key and value of the answer that was sent off and not confirmed yet."""

    @cached_property
    def _kept(self) -> KeptConnection:
        return KeptConnection(self.client)

    def send_off(self, task_id: str, answer: bytes) -> None:
        """Store and publish a success, its result in JSON, without waiting for it; `confirm` before the next one.

        Of a message that reached two workers the first answer stays stored: the second takes the first for a replay.
        """
        meta = {
            "status": SUCCESS,
            "traceback": None,
            "children": [],
            "date_done": datetime.now(UTC).isoformat(),
            "task_id": task_id,
        }
        value = b'{"result":%b,%b' % (answer, to_json(meta)[1:])  # as the wire's RESULT_HEAD
        self._left = self.get_key_for_task(task_id), value
        try:
            self._kept.send(self._commands(*self._left, self.expires, "NX"))
        except (RedisError, OSError):  # which `confirm` meets again
            structlog.get_logger().warning("answer_delayed", task_id=task_id)

    def confirm(self) -> None:
        """See that the answer has left. One that has not is sent as Celery does, with its retries.

        Raises what Celery raises when they are used up; the server's refusal of a value is no such case.
        """
        assert self._left is not None, "no answer was sent off"
        key, value = self._left
        self._left = None
        try:
            replies = self._kept.replies(2)
        except (RedisError, OSError):
            self.set(key, value)
            return
        for reply in replies:
            if isinstance(reply, Exception):  # memory is full: it was published all the same
                structlog.get_logger().error("answer_not_stored", error=repr(reply))

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
        for reply in self._kept.call(self._commands(key, value, expires or self.expires)):
            if isinstance(reply, Exception):
                raise reply

    @staticmethod
    def _commands(key: bytes, value: bytes, expires: float | None, *options: str) -> list[Command]:
        lifetime = ("EX", int(expires)) if expires else ()
        return [("SET", key, value, *lifetime, *options), ("PUBLISH", key, value)]
