"""What an operator can set for the workers and beat, from the environment or `.env`; one typed place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Fraction = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[int, Field(ge=0, le=100)]


class WorkerSettings(BaseSettings):
    """Settings of `python -m worker`. An empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    redis_url: str = "redis://127.0.0.1:6379/0"
    broker_url: str = ""
    result_url: str = ""
    history_url: str = ""

    model_path: Path = Path("models/production/model.pth")
    model_directory: Path = Path(".run/models")
    worker_device: str = ""
    worker_threads: Annotated[int, Field(ge=0, le=256)] = 1
    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0

    history_length: Annotated[int, Field(ge=1, le=1000)] = 50
    history_days: Annotated[int, Field(ge=1, le=3650)] = 180
    enrolment_patterns: Annotated[int, Field(ge=1, le=50)] = 5
    enrolment_confidence: Percent = 30
    update_confidence: Percent = 75
    update_anomaly: Fraction = 0.99

    retrain_schedule: str = "0 3 * * 0"
    retrain_minimum_users: Annotated[int, Field(ge=10)] = 200
    retrain_seconds: Annotated[int, Field(ge=60, le=7000)] = 3600
    background_concurrency: Annotated[int, Field(ge=1, le=16)] = 2

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @model_validator(mode="before")
    @classmethod
    def _urls_default_to_one_redis(cls, values: dict[str, object]) -> dict[str, object]:
        redis_url = values.get("redis_url") or "redis://127.0.0.1:6379/0"
        for name in ("broker_url", "result_url", "history_url"):
            if not values.get(name):
                values[name] = redis_url
        return values
