"""The scoring worker: one process, one device, one model, one message at a time."""

from __future__ import annotations

from worker.aftermath import Aftermath
from worker.celery_app import create_celery
from worker.collector import spare_what_is_loaded
from worker.contract import ONLINE_QUEUE, ProbeAnswer
from worker.device import take_device
from worker.enrolment import EnrolmentRule
from worker.heartbeat import Heartbeat
from worker.history import History
from worker.metrics import WorkerMetrics
from worker.node import node_name, run_node
from worker.redis_client import open_redis
from worker.settings import WorkerSettings
from worker.totals import Totals


def run(settings: WorkerSettings) -> None:
    """Pin the device, load the model, serve metrics, then take messages until told to stop.

    Raises ModelError when the model is missing or not what its manifest says, DeviceError for a wrong WORKER_DEVICE,
    WorkerFailedError when the worker ended by itself.
    """
    device = take_device(settings.worker_device, settings.worker_threads)
    from worker.model_holder import ModelHolder  # noqa: PLC0415
    from worker.promotion import Promotions  # noqa: PLC0415
    from worker.scoring import ScoringCore  # noqa: PLC0415
    from worker.short_way import open_short_way  # noqa: PLC0415
    from worker.tasks import scoring  # noqa: PLC0415
    from worker.turn import Turn  # noqa: PLC0415

    metrics = WorkerMetrics()
    holder = ModelHolder(
        settings.model_path,
        Promotions(settings.model_directory),
        device,
        lambda scorer: metrics.show_model(scorer.model_version, scorer.device),
    )
    holder.start()
    history = History(
        open_redis(settings.history_url),
        settings.history_length,
        settings.history_days,
        settings.updates_per_day,
    )

    def probe() -> ProbeAnswer:
        scorer = holder.current().scorer
        return {"model_version": scorer.model_version, "device": scorer.device}

    app = create_celery(settings.broker_url, settings.result_url, ack_emulation=False)
    totals = Totals(open_redis(settings.result_url), metrics)
    aftermath = Aftermath(history, totals, metrics)
    core = ScoringCore(holder.current, history, rule(settings), point=settings.operating_point)
    turn = Turn(core, aftermath)
    scoring.register(app, turn, probe)
    open_short_way(app, turn)
    if settings.worker_metrics_port:
        metrics.serve(settings.worker_metrics_host, settings.worker_metrics_port)
    Heartbeat(open_redis(settings.result_url), node_name("online")).start()
    spare_what_is_loaded()
    totals.start()
    try:
        run_node(
            app, "online", ONLINE_QUEUE, settings.log_level, pool_cls="solo", prefetch_multiplier=1
        )
    finally:
        totals.stop()


def rule(settings: WorkerSettings) -> EnrolmentRule:
    """The enrolment rule that the settings describe."""
    return EnrolmentRule(
        settings.update_confidence,
        settings.update_anomaly,
    )
