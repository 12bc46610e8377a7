"""Celery messages as bytes for one Redis list, so that a message costs the event loop one LPUSH."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any, Final

from celery import Celery
from pydantic_core import to_json

# What Flower and the worker's log may show of a message's argument: nothing of a person.
HIDDEN = "(pattern)"

# Where a message's own values go in the bytes that all of one task's messages share.
_ID: Final = "{task id}"
_EXPIRES: Final = "{expires}"
_BODY: Final = "{body}"


class EnvelopeFactory:
    """Builds what `send_task` would push for one task on one queue; a test holds the two to each other."""

    def __init__(self, app: Celery, task: str, queue: str, instance: str) -> None:
        message = app.amqp.as_task_v2(
            _ID,
            task,
            args=[],
            expires=_EXPIRES,
            argsrepr=HIDDEN,
            kwargsrepr="{}",
            origin=f"api@{instance}",
        )
        no_arguments, *rest = message.body
        assert list(no_arguments) == []
        self._rest = b"," + _dumped(rest)[1:]
        envelope = _dumped(_envelope(message.headers, message.properties, queue))
        self._form = (
            envelope.replace(b"%", b"%%")
            .replace(_ID.encode(), b"%(id)b")
            .replace(f'"{_EXPIRES}"'.encode(), b"%(expires)b")
            .replace(_BODY.encode(), b"%(body)b")
        )

    def build(
        self, task_id: str, argument: dict[str, Any] | None, expires_at: float | None
    ) -> bytes:
        """The message that calls the task with `argument`, dropped by the worker after `expires_at` (unix seconds).

        `task_id` must need no escape in JSON.
        """
        arguments = b"[" + to_json([] if argument is None else [argument])
        expires = expires_at and datetime.fromtimestamp(expires_at, UTC).isoformat()
        return self._form % {
            b"id": task_id.encode(),
            b"expires": to_json(expires),
            b"body": base64.b64encode(arguments + self._rest),
        }


def _envelope(headers: dict[str, Any], properties: dict[str, Any], queue: str) -> dict[str, Any]:
    return {
        "body": _BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": {
            **properties,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": _ID,  # one of its own, as kombu asks for
        },
    }


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
