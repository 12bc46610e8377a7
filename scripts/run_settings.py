"""What `make run` reads from the environment or `.env`, checked before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from scripts.part import ROOT, CannotRunError
from scripts.ports import neighbour
from worker.settings import MAX_SHOWN_CHARACTERS, WorkerSettings, explain

PORT = "a port from 1 to 65535"
PORT_OR_NONE = "a port from 1 to 65535, or 0 for none"


class RunSettings(BaseSettings):
    """What the run itself reads; the parts read the rest themselves. An empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535, description=PORT)
    flower_port: int = Field(5555, ge=1, le=65535, description=PORT)
    redis_url: str = ""
    broker_url: str = ""
    embedded_redis_port: int = Field(
        6399, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any that is free"
    )
    did_hash_key: str = ""
    flower_basic_auth: str = ""
    worker_metrics_port: int = Field(9101, ge=0, le=65535, description=PORT_OR_NONE)
    background_metrics_port: int = Field(9102, ge=0, le=65535, description=PORT_OR_NONE)
    bulk_metrics_port: int = Field(9103, ge=0, le=65535, description=PORT_OR_NONE)

    def ports(self) -> dict[str, int]:
        """Every port that the run listens on, but for the embedded Redis, by the name of its setting."""
        workers = ("worker_metrics_port", "background_metrics_port", "bulk_metrics_port")
        names = ("port", "flower_port", *workers)
        return {name.upper(): getattr(self, name) for name in names if getattr(self, name)}


def load_run_settings(env_file: Path = ROOT / ".env") -> RunSettings:
    """The run's settings. Raises CannotRunError with a sentence for each wrong one, the workers' included."""
    problems: dict[str, str] = {}
    settings = None
    try:
        settings = RunSettings(_env_file=env_file)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            problems[str(problem["loc"][0])] = _explain(problem)
    try:
        WorkerSettings(_env_file=env_file)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            problems.setdefault(str(problem["loc"][0]), explain(problem))
    if settings is not None:
        problems.update(_shared_ports(settings))
    if settings is None or problems:
        raise CannotRunError("\n".join(problems.values()))
    return settings


def _shared_ports(settings: RunSettings) -> Iterator[tuple[str, str]]:
    """A name and a sentence for each setting whose port another setting has, too."""
    ports = settings.ports()
    if not settings.redis_url and settings.embedded_redis_port:
        ports["EMBEDDED_REDIS_PORT"] = settings.embedded_redis_port
    owners: dict[int, str] = {}
    for name, port in ports.items():
        owner = owners.setdefault(port, name)
        if owner != name:
            other = port
            while other in ports.values():
                other = neighbour(other)
            yield (
                f"{name}, shared",
                f"{owner} and {name} are both {port}, but each needs a port of its own; "
                f"help: {name}={other} make run",
            )


def _explain(problem: ErrorDetails) -> str:
    name = str(problem["loc"][0])
    field = RunSettings.model_fields[name]
    got = str(problem["input"])[:MAX_SHOWN_CHARACTERS]
    return (
        f"{name.upper()} must be {field.description} (got {got!r}); "
        f"help: {name.upper()}={field.default} make run"
    )
