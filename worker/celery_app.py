"""The Celery application, for both sides of the queue. Imports no task and no model.

Every odd flag has its reason beside it; docs/architecture.md tells where the facts come from.
"""

from __future__ import annotations

from typing import Any

from celery import Celery

# A training run is the longest task; Redis hands a message out again after this long without an ack.
VISIBILITY_TIMEOUT_SECONDS = 2 * 60 * 60
SOCKET_TIMEOUT_SECONDS = 5.0
ONLINE_RESULT_SECONDS = 60
# By name, since the front end must not import it.
ANSWER_STORE = "worker.answer_store:AnswerStore"


def create_celery(
    broker_url: str, result_url: str | None = None, *, ack_emulation: bool = True
) -> Celery:
    """A configured application.

    `result_url` stays None in the front end: a Celery app with a result backend subscribes synchronously for every
    task it sends, and the front end listens for results itself. `ack_emulation=False` saves the online worker two
    of five round trips a message: an answer that died with its worker is worthless to a caller who waits one second.
    """
    if result_url is not None and result_url.startswith(("redis://", "rediss://")):
        result_url = f"{ANSWER_STORE}+{result_url}"
    app = Celery("biometrics", broker=broker_url, backend=result_url, set_as_current=False)
    app.conf.update(_settings(ack_emulation))
    return app


def _settings(ack_emulation: bool) -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker outlives any outage of Redis
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
            "ack_emulation": ack_emulation,
            "priority_steps": [0],  # one list per queue keeps BRPOP short
            "socket_timeout": SOCKET_TIMEOUT_SECONDS
            + 5,  # kombu's default is None: a hang for ever
            "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        "redis_socket_timeout": SOCKET_TIMEOUT_SECONDS,
        "redis_socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
        "redis_socket_keepalive": True,
        "redis_retry_on_timeout": True,
        "result_expires": ONLINE_RESULT_SECONDS,
        # A result that cannot be stored within a second has nobody waiting for it; the default tries for minutes.
        "result_backend_transport_options": {
            "retry_policy": {
                "max_retries": 3,
                "interval_start": 0,
                "interval_max": 0.2,
                "timeout": 1,
            }
        },
        "worker_send_task_events": True,  # Flower lists tasks from them
        "worker_hijack_root_logger": False,
        "task_send_sent_event": False,
        "enable_utc": True,
    }
