"""How long is measured, and who takes part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EVERYBODY: Final = (
    "service",
    "mosec",
    "mosec_whole",
    "litserve",
    "bentoml",
    "ray",
    "ray_tuned",
    "celery",
    "in_process",
)


@dataclass(frozen=True)
class Plan:
    """Rounds and seconds of each stage; 0 rounds leave a stage out.

    After `most_seconds` no round begins any more: on a machine too busy to finish, what comes last is not measured.
    """

    name: str
    most_seconds: float
    contestants: tuple[str, ...]
    rounds: int
    load_seconds: float
    one_seconds: float
    open_rounds: int
    open_seconds: float
    curve_rates: tuple[int, ...]
    curve_seconds: float
    curve_of: tuple[str, ...]
    batch_rounds: int
    overload_rounds: int
    start_rounds: int
    reload_rounds: int
    scorer_rounds: int
    scorer_batches: tuple[int, ...]
    warm_seconds: float = 0.7
    connections: int = 64


FULL: Final = Plan(
    name="full",
    most_seconds=810.0,  # 15 minutes with a last round of everybody and the end of all processes
    contestants=EVERYBODY,
    rounds=5,
    load_seconds=3.0,
    one_seconds=1.0,
    open_rounds=5,
    open_seconds=4.0,
    curve_rates=(100, 200, 400, 800, 1600, 3200),
    curve_seconds=2.0,
    curve_of=("service", "mosec", "in_process"),
    batch_rounds=5,
    overload_rounds=3,
    start_rounds=5,
    reload_rounds=3,
    scorer_rounds=5,
    scorer_batches=(64, 100, 128, 256, 512, 1024, 2048, 4096),
)
QUICK: Final = Plan(
    name="quick",
    most_seconds=90.0,  # 2 minutes
    contestants=("service", "in_process"),
    rounds=2,
    load_seconds=2.0,
    one_seconds=1.0,
    open_rounds=2,
    open_seconds=2.0,
    curve_rates=(),
    curve_seconds=0.0,
    curve_of=(),
    batch_rounds=1,
    overload_rounds=0,
    start_rounds=0,
    reload_rounds=0,
    scorer_rounds=2,
    scorer_batches=(64, 100, 512, 4096),
)
PLANS: Final = {plan.name: plan for plan in (FULL, QUICK)}
