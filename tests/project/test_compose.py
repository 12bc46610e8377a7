"""compose.yaml and the files of Prometheus, held to rules that need no engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from api.metrics import ApiMetrics
from api.settings import Settings
from tests.project.test_dockerfiles import last, stages
from worker.celery_app import VISIBILITY_TIMEOUT_SECONDS
from worker.metrics import WorkerMetrics
from worker.settings import WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+)(:-|:\?)((?:[^${}]|\$\{[^}]*\})*)\}")
UNITS = {"s": 1, "m": 60, "h": 3600}
MEBIBYTES = {"m": 1, "mb": 1, "g": 1024, "gb": 1024}
PUBLISHED = {"api", "flower", "prometheus"}
SCORING = {"worker-cpu", "worker-gpu-0", "worker-gpu-1"}
WORKERS = SCORING | {"worker-background", "worker-bulk"}
REQUIRED = {"DID_HASH_KEY": "0" * 64, "FLOWER_BASIC_AUTH": "name:password"}


def interpolate(value: Any) -> Any:
    """`value` as compose reads it where nothing but the required settings is set."""
    if isinstance(value, str):
        return VARIABLE.sub(
            lambda found: REQUIRED[found[1]] if found[2] == ":?" else interpolate(found[3]), value
        )
    if isinstance(value, dict):
        return {key: interpolate(each) for key, each in value.items()}
    return [interpolate(each) for each in value] if isinstance(value, list) else value


RAW: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = interpolate(RAW)["services"]
every_service = pytest.mark.parametrize("name", sorted(SERVICES))


def seconds(duration: str) -> int:
    """A duration with one unit, such as 65s or 2h."""
    return int(duration[:-1]) * UNITS[duration[-1]]


def mebibytes(size: str) -> int:
    """A size such as 512m or 1gb."""
    number, unit = re.fullmatch(r"(\d+)([a-z]+)", size).groups()  # type: ignore[union-attr]
    return int(number) * MEBIBYTES[unit]


def upper_bound(settings: Any, name: str) -> float:
    """The largest value that a setting may have."""
    limits = [getattr(each, "le", None) for each in settings.model_fields[name].metadata]
    return float(max(limit for limit in limits if limit is not None))


def test_every_service_that_the_project_needs_is_there() -> None:
    others = {"redis", "api", "beat", "flower", "prometheus"}
    assert set(SERVICES) == others | WORKERS


@every_service
class TestEveryService:
    def test_it_is_started_again_when_it_dies(self, name: str) -> None:
        assert SERVICES[name]["restart"] == "unless-stopped"

    def test_its_memory_and_its_log_are_bounded(self, name: str) -> None:
        assert mebibytes(SERVICES[name]["mem_limit"]) > 0
        assert set(SERVICES[name]["logging"]["options"]) == {"max-size", "max-file"}

    def test_it_does_not_run_as_root(self, name: str) -> None:
        assert int(SERVICES[name]["user"].split(":")[0]) > 0

    def test_it_cannot_gain_rights(self, name: str) -> None:
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in SERVICES[name]["security_opt"]
        assert not SERVICES[name].get("privileged")

    def test_its_root_file_system_is_read_only_or_says_why_not(self, name: str) -> None:
        assert SERVICES[name]["read_only"] or SERVICES[name]["x-writable-root"]

    def test_its_health_is_checked_or_it_says_why_not(self, name: str) -> None:
        check = SERVICES[name].get("healthcheck")
        if check is None:
            dockerfile = SERVICES[name]["build"]["dockerfile"]
            assert last(dockerfile, "HEALTHCHECK").rest
        else:
            assert check.get("test", ["NONE"])[0] == "CMD" or SERVICES[name]["x-no-health-check"]

    def test_it_says_how_long_it_may_take_to_stop(self, name: str) -> None:
        assert seconds(SERVICES[name]["stop_grace_period"]) >= 15

    def test_its_image_is_pinned(self, name: str) -> None:
        _, tag = SERVICES[name]["image"].split(":")
        assert re.match(r"v?\d+\.\d+\.\d+", tag)

    def test_it_is_published_on_loopback_or_not_at_all(self, name: str) -> None:
        ports = SERVICES[name].get("ports", [])
        assert bool(ports) == (name in PUBLISHED)
        assert all(port.startswith("127.0.0.1:") for port in ports)
        assert ("outside" in SERVICES[name]["networks"]) == (name in PUBLISHED)


def test_what_is_not_published_reaches_nothing_outside() -> None:
    assert RAW["networks"]["inside"] == {"internal": True}


def test_every_volume_in_use_is_declared() -> None:
    used = {
        volume.split(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])
    }
    named = {volume for volume in used if not volume.startswith(".")}
    assert named == set(RAW["volumes"])
    assert all((ROOT / volume).is_dir() for volume in used - named)


def test_secrets_come_from_the_environment_and_a_missing_one_names_its_remedy() -> None:
    text = COMPOSE.read_text()
    required = dict(re.findall(r"\$\{(\w+):\?([^}]*)\}", text))
    assert set(required) == set(REQUIRED)
    assert all("into .env" in remedy for remedy in required.values())
    for name, service in RAW["services"].items():
        for key, value in (service.get("environment") or {}).items():
            if re.search(r"KEY|AUTH|PASSWORD|SECRET|URL", key) and value is not None:
                assert value.startswith("${"), f"{name}.{key}"
    assert "DID_HASH_KEY" not in SERVICES["worker-cpu"]["environment"]


def test_the_front_end_gets_every_setting_that_it_has() -> None:
    assert set(SERVICES["api"]["environment"]) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(WORKERS | {"beat"}))
def test_the_workers_get_every_setting_that_they_have(name: str) -> None:
    names = {each.upper() for each in WorkerSettings.model_fields}
    assert set(SERVICES[name]["environment"]) == names


def test_the_settings_that_compose_fixes_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("api", "worker-background"):
        with monkeypatch.context() as patch:
            for key, value in SERVICES[name]["environment"].items():
                patch.delenv(key, raising=False)
                if value is not None:
                    patch.setenv(key, value)
            if name == "api":
                assert Settings(_env_file=None).broker_url == "redis://redis:6379/0"
            else:
                settings = WorkerSettings(_env_file=None)
                assert settings.history_url == "redis://redis:6379/0"
                assert settings.worker_metrics_port == 9102


def test_requests_and_messages_end_before_their_process_is_killed() -> None:
    longest = upper_bound(Settings, "predict_timeout_seconds")
    for name in {"api"} | SCORING:
        assert seconds(SERVICES[name]["stop_grace_period"]) > longest


def test_a_retraining_ends_before_its_worker_is_killed() -> None:
    grace = seconds(SERVICES["worker-background"]["stop_grace_period"])
    hard_limit = upper_bound(WorkerSettings, "retrain_seconds") + 60
    assert hard_limit < grace <= VISIBILITY_TIMEOUT_SECONDS


def test_each_worker_has_its_role_and_the_others_one_device_each() -> None:
    roles = {name: SERVICES[name]["command"][-1] for name in WORKERS | {"beat"}}
    assert roles == {
        **dict.fromkeys(SCORING, "online"),
        "worker-background": "background",
        "worker-bulk": "bulk",
        "beat": "beat",
    }
    devices = {}
    for name in ("worker-gpu-0", "worker-gpu-1"):
        assert SERVICES[name]["environment"]["WORKER_DEVICE"] == "cuda"
        assert SERVICES[name]["profiles"]
        (device,) = SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
        devices[name] = device["device_ids"]
    assert devices == {"worker-gpu-0": ["0"], "worker-gpu-1": ["1"]}
    assert "profiles" not in SERVICES["worker-cpu"]


def test_retrained_models_reach_the_scoring_workers_which_cannot_change_them() -> None:
    directory = SERVICES["worker-background"]["environment"]["MODEL_DIRECTORY"]
    assert SERVICES["worker-background"]["volumes"] == [f"models:{directory}"]
    for name in SCORING | {"worker-bulk"}:
        assert SERVICES[name]["volumes"] == [f"models:{directory}:ro"]
    made = [rest for key, rest in stages("Dockerfile.worker")[-1] if key == "RUN"]
    assert any(directory in rest and "-o 10001" in rest for rest in made)


def test_redis_keeps_what_it_is_given_and_stays_below_its_containers_limit() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert 2 * mebibytes(options["--maxmemory"]) <= mebibytes(SERVICES["redis"]["mem_limit"])


def test_flower_keeps_a_bounded_number_of_tasks_behind_a_password() -> None:
    environment = SERVICES["flower"]["environment"]
    assert int(environment["FLOWER_MAX_TASKS"]) <= 5000
    assert environment["FLOWER_BASIC_AUTH"] == REQUIRED["FLOWER_BASIC_AUTH"]
    assert environment["CELERY_BROKER_URL"] == "redis://redis:6379/0"


def test_prometheus_reads_every_process_that_shows_metrics() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    targets = {
        name: target["port"]
        for job in config["scrape_configs"]
        for target in job["dns_sd_configs"]
        for name in target["names"]
    }
    expected = {name: int(SERVICES[name]["environment"]["WORKER_METRICS_PORT"]) for name in WORKERS}
    assert targets == {**expected, "api": int(SERVICES["api"]["environment"]["PORT"])}


def test_alerts_ask_for_metrics_and_jobs_that_exist() -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    registries: list[CollectorRegistry] = [ApiMetrics().registry, WorkerMetrics().registry]
    known = {metric.name for registry in registries for metric in registry.collect()}
    (alerts,) = config["rule_files"]
    rules = yaml.safe_load((ROOT / "deploy" / alerts).read_text())["groups"][0]["rules"]
    for rule in rules:
        asked = re.findall(r"biometrics_\w+", rule["expr"])
        assert {re.sub(r"_(total|bucket)$", "", name) for name in asked} <= known, rule["alert"]
        assert set(re.findall(r'job="(\w+)"', rule["expr"])) <= jobs
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_deployment_guide_speaks_of_what_is_there() -> None:
    guide = (ROOT / "docs" / "deployment.md").read_text()
    profiles = {profile for each in SERVICES.values() for profile in each.get("profiles", [])}
    assert set(re.findall(r"--profile (\S+)", guide)) == profiles
    assert set(re.findall(r"docker compose (?:exec|create|kill) ([a-z-]+)", guide)) <= set(SERVICES)
    assert set(re.findall(r"-v biometrics_(\w+):", guide)) <= set(RAW["volumes"])
    assert SERVICES["redis"]["image"] in guide
    (override,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    changed = yaml.safe_load(override)
    assert set(changed["services"]) <= set(SERVICES)
    assert set(changed["networks"]) <= set(RAW["networks"])
