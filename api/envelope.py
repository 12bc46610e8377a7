"""Celery messages as bytes for one Redis list, so that a message costs the event loop one LPUSH."""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import Any

from celery import Celery

# What Flower and the worker's log may show of a message's argument: nothing of a person.
HIDDEN = "(pattern)"


class EnvelopeFactory:
    """Builds what `send_task` would push for one task on one queue; a test holds the two to each other."""

    def __init__(self, app: Celery, task: str, queue: str, instance: str) -> None:
        self._app = app
        self._task = task
        self._queue = queue
        self._origin = f"api@{instance}"

    def build(
        self, task_id: str, argument: dict[str, Any] | None, expires_at: float | None
    ) -> bytes:
        """The message that calls the task with `argument`, dropped by the worker after `expires_at` (unix seconds)."""
        message = self._app.amqp.as_task_v2(
            task_id,
            self._task,
            args=[] if argument is None else [argument],
            expires=expires_at and datetime.fromtimestamp(expires_at, UTC).isoformat(),
            argsrepr=HIDDEN,
            kwargsrepr="{}",
            origin=self._origin,
        )
        body = json.dumps(message.body, separators=(",", ":"))
        return self._wrap(message.headers, message.properties, body)

    def _wrap(self, headers: dict[str, Any], properties: dict[str, Any], body: str) -> bytes:
        envelope = {
            "body": base64.b64encode(body.encode()).decode(),
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": headers,
            "properties": {
                **properties,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": self._queue},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": str(uuid.uuid4()),
            },
        }
        return json.dumps(envelope, separators=(",", ":")).encode()
