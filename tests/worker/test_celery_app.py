"""The Celery application's promises."""

from __future__ import annotations

import pytest
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from worker.celery_app import VISIBILITY_TIMEOUT_SECONDS, create_celery
from worker.settings import WorkerSettings


def test_only_json_is_spoken_and_understood() -> None:
    conf = create_celery("memory://").conf
    assert conf.task_serializer == conf.result_serializer == "json"
    with pytest.raises(ContentDisallowed):
        loads(b"", "application/x-python-serialize", "binary", accept=conf.accept_content)  # type: ignore[no-untyped-call]


def test_no_task_can_run_as_long_as_the_broker_waits_before_it_sends_it_again() -> None:
    longest = WorkerSettings.model_fields["retrain_seconds"].metadata[1].le + 60
    assert longest < VISIBILITY_TIMEOUT_SECONDS


def test_no_command_to_the_broker_can_wait_for_ever() -> None:
    options = create_celery("memory://").conf.broker_transport_options
    assert options["socket_timeout"] > 0
    assert options["socket_connect_timeout"] > 0


def test_the_front_ends_application_has_no_result_backend() -> None:
    assert create_celery("redis://127.0.0.1:1/0").conf.result_backend is None


def test_two_applications_share_nothing() -> None:
    one = create_celery("memory://", ack_emulation=False)
    two = create_celery("memory://")
    assert one.conf.broker_transport_options["ack_emulation"] is False
    assert two.conf.broker_transport_options["ack_emulation"] is True
