"""The workers' settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from worker.settings import WorkerSettings


def settings(**values: Any) -> WorkerSettings:
    return WorkerSettings(_env_file=None, **values)


def test_one_redis_serves_all_unless_a_part_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://one:6379/0")
    monkeypatch.setenv("HISTORY_URL", "redis://two:6379/0")
    found = settings()
    assert found.broker_url == found.result_url == "redis://one:6379/0"
    assert found.history_url == "redis://two:6379/0"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("HISTORY_LENGTH", "")
    assert settings().broker_url == "redis://127.0.0.1:6379/0"
    assert settings().history_length == 50


def test_settings_come_from_the_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("REDIS_URL=redis://filed:1/0\nUPDATE_CONFIDENCE=80\n")
    monkeypatch.chdir(tmp_path)
    found = WorkerSettings()
    assert found.history_url == "redis://filed:1/0"
    assert found.update_confidence == 80


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("history_length", 0),
        ("history_length", 1001),
        ("history_days", 0),
        ("update_confidence", 101),
        ("update_anomaly", 1.5),
        ("worker_metrics_port", 70_000),
        ("log_format", "xml"),
        ("retrain_seconds", 7200),  # the broker would hand the task out a second time
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        settings(**{name: value})
