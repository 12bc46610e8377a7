"""The answers of the routes for jobs, for the documentation."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field


class JobLinks(BaseModel):
    """Where to look next."""

    model_config = ConfigDict(extra="forbid")

    self: str
    results: str


class JobCallback(BaseModel):
    """Whether the caller's server was told of the job's end."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["waiting", "pending", "delivered", "failed", "dropped"] = Field(
        description="For the job's end; to be told; told; given up; never told, since the job was cancelled."
    )
    attempts: int = Field(ge=0)
    error: str | None = Field(description="Why the last attempt failed.")


class JobResponse(BaseModel):
    """How far a job is."""

    model_config = ConfigDict(extra="forbid")

    job_id: str
    state: Literal["queued", "running", "done", "cancelled", "failed"]
    total: int = Field(ge=1, description="Patterns, the broken ones included.")
    done: int = Field(ge=0, description="Patterns that have a score.")
    failed: int = Field(ge=0, description="Patterns that have none and will get none.")
    broken: int = Field(ge=0, description="Those of `failed` that were no valid pattern.")
    created: float = Field(description="Unix seconds, as the other times.")
    started: float | None
    finished: float | None
    patterns_per_second: float | None
    estimated_end: float | None
    callback: JobCallback | None = Field(description="null where no `callback_url` was given.")
    links: JobLinks


class JobList(BaseModel):
    """The caller's newest jobs."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[JobResponse]


class DeadLetter(BaseModel):
    """A chunk that failed too often."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["5f0c7d0f3c5e4b1e8a3c0d9e6b7a1234.7"])
    job_id: str
    chunk: int
    patterns: int = Field(description="How many patterns of the job failed with it.")
    since: float = Field(description="Unix seconds.")


class DeadLetterList(BaseModel):
    """The oldest first."""

    model_config = ConfigDict(extra="forbid")

    dead_letters: list[DeadLetter]


JOB_ID_EXAMPLE: Final = "5f0c7d0f3c5e4b1e8a3c0d9e6b7a1234"
JOB_EXAMPLE: Final[dict[str, object]] = {
    "job_id": JOB_ID_EXAMPLE,
    "state": "running",
    "total": 100_000,
    "done": 40_960,
    "failed": 2,
    "broken": 2,
    "created": 1_790_000_000.0,
    "started": 1_790_000_003.2,
    "finished": None,
    "patterns_per_second": 9_800.5,
    "estimated_end": 1_790_000_013.4,
    "callback": None,
    "links": {"self": f"/jobs/{JOB_ID_EXAMPLE}", "results": f"/jobs/{JOB_ID_EXAMPLE}/results"},
}


def shown(job: dict[str, Any]) -> dict[str, object]:
    """A job of the board as its caller sees it, with its links."""
    base = f"/jobs/{job['job_id']}"
    hidden = ("owner", "chunks")
    fields = {name: value for name, value in job.items() if name not in hidden}
    return {**fields, "links": {"self": base, "results": f"{base}/results"}}
