"""Runs one Celery worker in this process."""

from __future__ import annotations

import os
import socket
from typing import Any

from celery import Celery


class WorkerFailedError(Exception):
    """Raised when a worker ended though nobody told it to; its log says why."""


def node_name(role: str) -> str:
    """A name that no other process has."""
    return f"{role}@{socket.gethostname()}.{os.getpid()}"


def run_node(app: Celery, role: str, queues: str, log_level: str, **options: Any) -> None:
    """Take messages from `queues`, separated by commas, until told to stop. Raises WorkerFailedError."""
    app.conf.update(
        broker_transport="worker.transport:Transport", worker_consumer="worker.consumer:Consumer"
    )
    worker = app.Worker(
        hostname=node_name(role),
        queues=queues.split(","),
        loglevel=log_level,
        without_gossip=True,
        without_mingle=True,
        **options,
    )
    worker.start()
    if worker.exitcode:
        raise WorkerFailedError(f"the {role} worker ended with code {worker.exitcode}")
