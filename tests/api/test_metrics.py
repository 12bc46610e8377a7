from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import ApiMetrics, registry_for_scrape
from api.reply import Reply
from tests.api.known_answer import known_answer
from worker.contract import Reason

ROW = ["aa", [65.0, 120.0, 85.0, 3.0, 14.0], None, None]


def value(metrics: ApiMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"biometrics_{name}", labels)


def test_an_answer_enters_the_three_distributions() -> None:
    metrics = ApiMetrics()
    metrics.observe_answers(Reply.worded([known_answer(ROW)]))
    assert value(metrics, "confidence_score_sum") == 65
    assert value(metrics, "confidence_score_bucket", le="60.0") == 0
    assert value(metrics, "confidence_score_bucket", le="65.0") == 1
    assert value(metrics, "anomaly_score_sum") == 0.12
    assert value(metrics, "inference_seconds_sum") == 0.0015
    assert value(metrics, "anomalies_total") == 0


def test_an_anomalous_answer_is_counted() -> None:
    metrics = ApiMetrics()
    metrics.observe_answers(Reply.worded([{**known_answer(ROW), "reasons": [Reason.ANOMALOUS]}]))
    assert value(metrics, "anomalies_total") == 1


def test_two_front_ends_in_one_process_do_not_share_their_counts() -> None:
    first, second = ApiMetrics(), ApiMetrics()
    first.timeouts.inc()
    assert value(second, "timeouts_total") == 0
    assert not any(family.name.startswith("biometrics") for family in REGISTRY.collect())


def test_every_name_has_the_services_prefix_and_a_help_text() -> None:
    for family in ApiMetrics().registry.collect():
        assert family.name.startswith("biometrics_")
        assert family.documentation


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "queue_wait_seconds",
            "From a pattern's arrival at the front end to its message's receipt by a worker",
        ),
        ("waiting_rows", "Patterns that wait to be put on the online queue"),
        ("timeouts", "Requests whose answer did not come in time"),
        ("inference_seconds", "The scoring of the message that carried the pattern"),
    ],
)
def test_a_help_text_says_what_is_measured(name: str, text: str) -> None:
    families = {family.name: family for family in ApiMetrics().registry.collect()}
    assert families[f"biometrics_{name}"].documentation == text


def test_names_carry_units_that_prometheus_expects() -> None:
    metrics = ApiMetrics()
    metrics.request_seconds.labels("/predict").observe(0.1)
    text = generate_latest(metrics.registry).decode()
    families = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert families["biometrics_request_seconds"] == "histogram"
    assert families["biometrics_requests"] == "counter"
    assert families["biometrics_waiting_rows"] == "gauge"
    assert "_created" not in text


def test_one_process_shows_its_own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    metrics = ApiMetrics()
    assert registry_for_scrape(metrics) is metrics.registry


COUNT_AND_SHOW = """
import os
from prometheus_client import generate_latest
from api.metrics import ApiMetrics, forget_process, registry_for_scrape
metrics = ApiMetrics()
metrics.timeouts.inc(2)
metrics.waiting_rows.set(3)
text = generate_latest(registry_for_scrape(metrics)).decode()
for name in ("biometrics_timeouts_total", "biometrics_waiting_rows"):
    print(next(line for line in text.splitlines() if line.startswith(name)))
forget_process(os.getpid())
"""


def test_several_processes_are_added_up_and_the_dead_wait_for_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", COUNT_AND_SHOW]
    outputs = [
        subprocess.run(command, env=environment, capture_output=True, check=True, text=True).stdout
        for _ in range(2)
    ]
    assert outputs[0].splitlines() == [
        "biometrics_timeouts_total 2.0",
        "biometrics_waiting_rows 3.0",
    ]
    assert outputs[1].splitlines() == [
        "biometrics_timeouts_total 4.0",
        "biometrics_waiting_rows 3.0",
    ]
