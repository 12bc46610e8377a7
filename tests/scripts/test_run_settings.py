"""What `make run` refuses before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.part import CannotRunError
from scripts.run_settings import RunSettings, load_run_settings
from worker.settings import WorkerSettings


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that sets nothing."""
    for name in {*RunSettings.model_fields, *WorkerSettings.model_fields}:
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def complaint(env_file: Path) -> str:
    with pytest.raises(CannotRunError) as caught:
        load_run_settings(env_file)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "limit", "remedy"),
    [
        ("PORT", "abc", "from 1 to 65535", "PORT=8000"),
        ("PORT", "99999", "from 1 to 65535", "PORT=8000"),
        ("PORT", "0", "from 1 to 65535", "PORT=8000"),
        ("FLOWER_PORT", "-1", "from 1 to 65535", "FLOWER_PORT=5555"),
        ("FLOWER_PORT", "0", "from 1 to 65535", "FLOWER_PORT=5555"),
        ("EMBEDDED_REDIS_PORT", "zz", "from 1 to 65535", "EMBEDDED_REDIS_PORT=6399"),
        ("EMBEDDED_REDIS_PORT", "70000", "from 1 to 65535", "EMBEDDED_REDIS_PORT=6399"),
        ("WORKER_METRICS_PORT", "70000", "or 0 for none", "WORKER_METRICS_PORT=9101"),
        ("BACKGROUND_METRICS_PORT", "x", "or 0 for none", "BACKGROUND_METRICS_PORT=9102"),
    ],
)
def test_a_wrong_port_is_one_sentence_with_its_limit_and_a_remedy(
    bare: pytest.MonkeyPatch, env_file: Path, name: str, value: str, limit: str, remedy: str
) -> None:
    bare.setenv(name, value)
    said = complaint(env_file)
    assert said.startswith(f"{name} must be a port ")
    assert limit in said
    assert said.endswith(f"(got '{value}'); help: {remedy} make run")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("name", ["REDIS_URL", "BROKER_URL", "HISTORY_URL"])
@pytest.mark.parametrize("url", ["nonsense", "http://:hunter2@x", "redis://:hunter2@[::1"])
def test_a_wrong_url_is_one_sentence_without_its_password(
    bare: pytest.MonkeyPatch, env_file: Path, name: str, url: str
) -> None:
    bare.setenv(name, url)
    said = complaint(env_file)
    assert said.startswith(f"{name} must be a redis:// or rediss:// URL")
    assert len(said.splitlines()) == 1
    assert "hunter2" not in said


def test_what_the_workers_would_refuse_is_named_before_anything_starts(env_file: Path) -> None:
    env_file.write_text("RETRAIN_SCHEDULE=weekly\nPORT=abc\n")
    assert [line.split()[0] for line in complaint(env_file).splitlines()] == [
        "PORT",
        "RETRAIN_SCHEDULE",
    ]


@pytest.mark.parametrize(
    ("name", "value", "owner"),
    [
        ("FLOWER_PORT", "8000", "PORT"),
        ("WORKER_METRICS_PORT", "8000", "PORT"),
        ("BACKGROUND_METRICS_PORT", "9101", "WORKER_METRICS_PORT"),
        ("EMBEDDED_REDIS_PORT", "5555", "FLOWER_PORT"),
    ],
)
def test_two_settings_with_one_port_are_both_named(
    bare: pytest.MonkeyPatch, env_file: Path, name: str, value: str, owner: str
) -> None:
    bare.setenv(name, value)
    said = complaint(env_file)
    assert said.startswith(f"{owner} and {name} are both {value}, but each needs a port of its own")
    remedy = int(said.rsplit(f"{name}=", 1)[1].split()[0])
    bare.setenv(name, str(remedy))
    assert getattr(load_run_settings(env_file), name.lower()) == remedy


def test_the_port_of_a_server_that_is_not_started_is_free_for_others(
    bare: pytest.MonkeyPatch, env_file: Path
) -> None:
    bare.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    bare.setenv("PORT", "6399")
    assert load_run_settings(env_file).port == 6399


def test_ports_that_are_switched_off_do_not_clash_and_are_not_tried(
    bare: pytest.MonkeyPatch, env_file: Path
) -> None:
    bare.setenv("WORKER_METRICS_PORT", "0")
    bare.setenv("BACKGROUND_METRICS_PORT", "0")
    bare.setenv("BULK_METRICS_PORT", "0")
    assert load_run_settings(env_file).ports() == {"PORT": 8000, "FLOWER_PORT": 5555}


def test_an_empty_variable_counts_as_unset(bare: pytest.MonkeyPatch, env_file: Path) -> None:
    bare.setenv("PORT", "")
    env_file.write_text("FLOWER_BASIC_AUTH=name:password\nREDIS_URL=\n")
    settings = load_run_settings(env_file)
    assert (settings.port, settings.redis_url) == (8000, "")
    assert settings.flower_basic_auth == "name:password"
