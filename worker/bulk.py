"""The bulk worker: one process, one device, one model, one chunk at a time, behind everything that is online."""

from __future__ import annotations

import os
import time

from celery import Celery
from kombu.exceptions import ChannelError

from worker.celery_app import create_celery
from worker.collector import calm_the_collector
from worker.contract import BULK_QUEUE, SWEEP_QUEUE
from worker.device import take_device
from worker.history import History
from worker.jobs.behind import Behind
from worker.metrics import WorkerMetrics
from worker.node import run_node
from worker.online import rule
from worker.redis_client import open_redis
from worker.settings import WorkerSettings

NICENESS = 10  # where both want one core, the online worker gets about nine tenths of it
COMMAND_SECONDS = 10.0  # a chunk's results are a megabyte, and nobody waits for a second


def run(settings: WorkerSettings) -> None:
    """Pin the device, load the model, then work off chunks until told to stop.

    Raises ModelError when the model is missing or not what its manifest says, DeviceError for a wrong WORKER_DEVICE,
    WorkerFailedError when the worker ended by itself.
    """
    os.nice(NICENESS)  # before torch starts threads, which inherit it
    device = take_device(settings.worker_device, settings.worker_threads)
    metrics = WorkerMetrics()
    app = create_celery(settings.broker_url, ack_emulation=False)
    _register(app, settings, device, metrics, Behind())
    calm_the_collector()
    if settings.worker_metrics_port:
        metrics.serve(settings.worker_metrics_host, settings.worker_metrics_port)
    queues = f"{SWEEP_QUEUE},{BULK_QUEUE}"
    run_node(app, "bulk", queues, settings.log_level, pool_cls="solo", prefetch_multiplier=1)


def _register(
    app: Celery, settings: WorkerSettings, device: str, metrics: WorkerMetrics, behind: Behind
) -> None:
    from worker.jobs.chunk import Chunks  # noqa: PLC0415  # torch, after the device is pinned
    from worker.jobs.ledger import Ledger  # noqa: PLC0415
    from worker.jobs.sweep import Sweep  # noqa: PLC0415
    from worker.jobs.waves import Waves  # noqa: PLC0415
    from worker.model_holder import ModelHolder  # noqa: PLC0415
    from worker.promotion import Promotions  # noqa: PLC0415
    from worker.tasks import bulk  # noqa: PLC0415

    holder = ModelHolder(
        settings.model_path,
        Promotions(settings.model_directory),
        device,
        lambda scorer: metrics.show_model(scorer.model_version, scorer.device),
    )
    holder.start()
    history_server = open_redis(settings.history_url, command_seconds=COMMAND_SECONDS)
    history = History(
        history_server, settings.history_length, settings.history_days, settings.updates_per_day
    )
    jobs = open_redis(settings.jobs_url, command_seconds=COMMAND_SECONDS)
    lease_seconds = settings.job_lease_seconds
    ledger = Ledger(jobs, lease_seconds)
    waves = Waves(holder.current, history, rule(settings), point=settings.operating_point)
    chunks = Chunks(ledger, waves, history, lease_seconds, time.monotonic)
    sweep = Sweep(
        ledger,
        lambda job_id, chunk: bulk.send_chunk(app, job_id, chunk),
        lambda: queued(app),
        time.time,
    )
    bulk.register(app, chunks.begin, behind, sweep.run, metrics.observe_chunk)


def queued(app: Celery) -> int:
    """How many messages wait in the bulk queue. Raises what the broker's client raises."""
    with app.connection_for_read() as connection:
        try:
            declared = connection.default_channel.queue_declare(BULK_QUEUE, passive=True)
        except ChannelError:  # Redis knows no empty list
            return 0
        return int(declared.message_count)
