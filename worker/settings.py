"""What an operator can set for the workers and beat, from the environment or `.env`; one typed place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from celery.schedules import ParseException, crontab
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.connection import parse_url

DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/0"
MAX_SHOWN_CHARACTERS = 60
URL_FORM = (
    "must be a redis:// or rediss:// URL such as redis://:password@127.0.0.1:6379/0, with special"
    " characters of the password written as in %2F"
)
CRON_FORM = (
    'must be a cron expression of five fields, "minute hour day-of-month month day-of-week" in UTC,'
    ' such as "0 3 * * 0" for Sundays at 3:00'
)

Fraction = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[int, Field(ge=0, le=100)]


class SettingsError(ValueError):
    """Raised when a setting is wrong; the message says what it must be, a line for each."""


class WorkerSettings(BaseSettings):
    """Settings of `python -m worker`. An empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    redis_url: str = DEFAULT_REDIS_URL
    broker_url: str = Field("", validate_default=True)
    result_url: str = Field("", validate_default=True)
    history_url: str = Field("", validate_default=True)
    jobs_url: str = Field("", validate_default=True)

    model_path: Path = Path("models/production/model.pth")
    model_directory: Path = Path(".run/models")
    worker_device: str = ""
    worker_threads: Annotated[int, Field(ge=0, le=256)] = 1
    worker_metrics_host: str = "127.0.0.1"
    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0

    history_length: Annotated[int, Field(ge=1, le=1000)] = 50
    history_days: Annotated[int, Field(ge=1, le=3650)] = 180
    update_confidence: Percent = 75
    update_anomaly: Fraction = 0.99
    updates_per_day: Annotated[int, Field(ge=0, le=1000)] = 10
    operating_point: Literal["convenient", "balanced", "secure"] = "balanced"

    retrain_schedule: str = "0 3 * * 0"
    retrain_minimum_users: Annotated[int, Field(ge=10)] = 200
    retrain_seconds: Annotated[int, Field(ge=60, le=7000)] = 3600
    background_concurrency: Annotated[int, Field(ge=1, le=16)] = 2

    job_lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    job_sweep_seconds: Annotated[float, Field(ge=0.5, le=3600)] = 10.0

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @field_validator("redis_url", "broker_url", "result_url", "history_url", "jobs_url")
    @classmethod
    def _url_that_can_be_opened(cls, value: str, info: ValidationInfo) -> str:
        url = value or str(info.data.get("redis_url", DEFAULT_REDIS_URL))
        # Celery knows no unix://, and all but the histories and the jobs are opened by Celery.
        by_celery = info.field_name not in {"history_url", "jobs_url"}
        if not is_redis_url(url) or (url.startswith("unix:") and by_celery):
            raise ValueError(URL_FORM)
        return url

    @field_validator("retrain_schedule")
    @classmethod
    def _cron_expression(cls, value: str) -> str:
        schedule = " ".join(value.split())
        try:
            crontab.from_string(schedule)
        except (ValueError, ParseException) as error:
            reason = "" if schedule.count(" ") != 4 else f" ({error})"
            raise ValueError(CRON_FORM + reason) from error
        return schedule

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value


def load_settings() -> WorkerSettings:
    """The settings of this process's environment and `.env`.

    Raises SettingsError with one line for each setting that is wrong, without the values of URLs.
    """
    try:
        return WorkerSettings()
    except ValidationError as error:
        lines = [explain(problem) for problem in error.errors(include_url=False)]
    raise SettingsError("\n".join(lines))


def explain(problem: ErrorDetails) -> str:
    """One sentence that names the setting, what it must be and where it is set, never a URL's value."""
    name = str(problem["loc"][0]).upper()
    what = problem["msg"].removeprefix("Value error, ")
    what = re.sub("^Input should be", "must be", what)
    shown = f" (got {str(problem['input'])[:MAX_SHOWN_CHARACTERS]!r})"
    hidden = name.endswith(("_URL", "_KEY", "_AUTH"))
    return f"{name} {what}{'' if hidden else shown}; set it in the environment or in .env"


def is_redis_url(url: str) -> bool:
    """Whether redis-py and Celery read the same server and database from `url`."""
    try:
        parse_url(url)  # type: ignore[no-untyped-call]
        parts = urlsplit(url)
    except ValueError:
        return False
    if re.search(r"\s", url) or url == f"{parts.scheme}://":
        return False
    if parts.scheme == "unix":
        return parts.path.startswith("/")
    return re.fullmatch(r"/?[0-9]*", parts.path) is not None  # redis-py would take any other for 0
