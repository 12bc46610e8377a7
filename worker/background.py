"""The background worker: what may take minutes, in child processes with a time limit, never in an answer's way."""

from __future__ import annotations

import os

from worker.celery_app import create_celery
from worker.contract import TRAINING_QUEUE
from worker.device import gpu_present, pin
from worker.metrics import WorkerMetrics
from worker.node import run_node
from worker.settings import WorkerSettings
from worker.tasks import retraining


def run(settings: WorkerSettings) -> None:
    """Pin the device, serve metrics, take background tasks until told to stop.

    torch is imported in the children only: a process that has touched CUDA cannot be forked.
    """
    device = pin(settings.worker_device, os.environ, gpu_present=gpu_present())
    app = create_celery(settings.broker_url, settings.result_url)
    app.conf.update(worker_disable_prefetch=True, result_expires=retraining.RESULT_SECONDS)
    retraining.register(app, settings, device)
    if settings.worker_metrics_port:
        WorkerMetrics().serve(settings.worker_metrics_host, settings.worker_metrics_port)
    run_node(
        app,
        "background",
        TRAINING_QUEUE,
        settings.log_level,
        pool_cls="prefork",
        concurrency=settings.background_concurrency,
    )
