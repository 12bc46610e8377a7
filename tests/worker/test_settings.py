"""The workers' settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from worker.settings import SettingsError, WorkerSettings, load_settings


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
        ("updates_per_day", -1),
        ("worker_metrics_port", 70_000),
        ("log_format", "xml"),
        ("retrain_seconds", 7200),  # the broker would hand the task out a second time
    ],
)
def test_a_value_out_of_range_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        settings(**{name: value})


URLS = ["REDIS_URL", "BROKER_URL", "RESULT_URL", "HISTORY_URL"]
WRONG_URLS = [
    "nonsense",
    "http://user:hunter2@redis",
    "redis://",
    "redis://:hunter2@localhost:notaport/0",
    "redis://:hunter2@[::1",
    "redis://:hunter2@localhost:6399/notadb",
    "redis://:hunter2@localhost:6399/0/",
    "redis://:hunter2@localhost:6399/0?db=x",
    "redis://one:6379/0 redis://two:6379/0",
    "unix://",
]


def complaint(directory: Path, monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    monkeypatch.chdir(directory)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_url_that_cannot_be_opened_is_named_once_and_its_password_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    said = complaint(tmp_path, monkeypatch, **{name: url})
    assert said.startswith(f"{name} must be a redis:// or rediss:// URL such as redis://")
    assert "set it in the environment or in .env" in said
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "url",
    [
        "redis://one",
        "redis://one/",
        "redis://user:pa%2Fss@one:6379/15",
        "redis://[::1]:6379/0",
        "rediss://one:6380/0?ssl_cert_reqs=required",
    ],
)
def test_a_url_that_can_be_opened_is_taken(name: str, url: str) -> None:
    assert getattr(settings(**{name.lower(): url}), name.lower()) == url


def test_a_socket_is_for_the_histories_alone_since_celery_does_not_know_it() -> None:
    assert settings(history_url="unix:///run/redis.sock").history_url == "unix:///run/redis.sock"
    with pytest.raises(ValidationError, match="broker_url"):
        settings(broker_url="unix:///run/redis.sock")


@pytest.mark.parametrize(
    "schedule", ["weekly", "0 3 * *", "70 3 * * *", "0 3 * * someday", "0 0 31 2 *", "*/0 * * * *"]
)
def test_a_schedule_that_is_no_cron_expression_is_refused_with_its_form_and_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    said = complaint(tmp_path, monkeypatch, RETRAIN_SCHEDULE=schedule)
    assert said.startswith("RETRAIN_SCHEDULE must be a cron expression of five fields")
    assert '"0 3 * * 0"' in said
    assert f"(got {schedule!r})" in said


def test_an_operating_point_that_no_model_has_is_refused_with_those_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = complaint(tmp_path, monkeypatch, OPERATING_POINT="paranoid")
    assert said == (
        "OPERATING_POINT must be 'convenient', 'balanced' or 'secure' (got 'paranoid');"
        " set it in the environment or in .env"
    )


@pytest.mark.parametrize("name", ["convenient", "balanced", "secure"])
def test_each_operating_point_can_be_set(name: str) -> None:
    assert settings(operating_point=name).operating_point == name


def test_the_fields_of_a_schedule_may_stand_apart() -> None:
    assert settings(retrain_schedule=" 5  4 * *   sun ").retrain_schedule == "5 4 * * sun"


def test_a_level_is_known_in_any_case() -> None:
    assert settings(log_level="debug").log_level == "DEBUG"


def test_every_wrong_setting_gets_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = complaint(
        tmp_path, monkeypatch, HISTORY_LENGTH="0", WORKER_THREADS="9" * 5000, LOG_FORMAT="xml"
    )
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert lines.keys() == {"HISTORY_LENGTH", "WORKER_THREADS", "LOG_FORMAT"}
    assert "must be greater than or equal to 1 (got '0')" in lines["HISTORY_LENGTH"]
    assert max(map(len, lines.values())) < 300
