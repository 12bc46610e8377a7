"""What one front end is made of; routes are bound to it instead of reaching for globals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from api.chain.door import Door
from api.health import Health
from api.jobs.desk import JobDesk
from api.metrics import ApiMetrics
from api.ports import Scoring
from api.rows import Reader
from api.settings import Settings


@dataclass(frozen=True)
class Parts:
    """Made once for each application. `clock` tells Unix seconds; `read_seconds` bounds the reading of a body."""

    settings: Settings
    metrics: ApiMetrics
    scoring: Scoring
    reader: Reader
    health: Health
    jobs: JobDesk
    clock: Callable[[], float]
    read_seconds: float
    chain: Door | None = None
