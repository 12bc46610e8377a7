"""What a recorder derives from a window's keys beside the four numbers: strict, versioned, without text or order.

A statistic that has nothing to be taken from is null or left out, and its count is 0 or left out. Neither what was
typed nor the order of its keys can be recovered from a window of ordinary length. Windows of one key each would spell
the fingers in order, so a window with statistics has at least 10 keys. The counts of a window must agree with each
other: the service weighs a statistic by its count.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic asks for this one below Python 3.12

from api.ranges import COUNTS, MAX_COUNT, STATISTICS
from worker.contract import WINDOW_COUNT_OF, WINDOW_COUNTS, WINDOW_STATISTICS

WINDOW_VERSION: Final = 1
LEAST_KEYS: Final = 10  # the windows of our own tool have 11 or more
_CLASSES: Final = ("spaces", "others", *(f"finger_{n}" for n in range(1, 9)), "backspaces")
_HANDS: Final = ("left_left", "right_right", "left_right", "right_left", "to_space", "from_space")
# The sum of some counts, and what it cannot exceed. 25,768 real sessions, cut at 15, 20, 50 and 200 keys, keep to it.
_LIMITS: Final = (
    (("holds", "shifts"), "keys"),
    (("pairs",), "holds"),
    (_CLASSES, "holds"),
    (("shifts",), "holds"),
    (_HANDS, "pairs"),
    (("overlaps",), "pairs"),
    (("triples",), "pairs"),
    (("to_space",), "spaces"),
    (("from_space",), "spaces"),
)


def _statistic(name: str) -> Any:
    limits = STATISTICS[name]
    meaning = f"{limits.meaning}. Taken from `{WINDOW_COUNT_OF[name]}`."
    field = Field(ge=limits.low, le=limits.high, allow_inf_nan=False, description=meaning)
    return Annotated[float | None, field]


def _count(name: str) -> Any:
    return Annotated[int, Field(ge=0, le=MAX_COUNT, description=f"{COUNTS[name]}.")]


if TYPE_CHECKING:
    Statistics = dict[str, float | None]
    Counts = dict[str, int]
else:  # made from the names of the wire, so that the two cannot differ
    Statistics = TypedDict(
        "Statistics", {name: _statistic(name) for name in WINDOW_STATISTICS}, total=False
    )
    Counts = TypedDict("Counts", {name: _count(name) for name in WINDOW_COUNTS}, total=False)
    for each in (Statistics, Counts):
        each.__pydantic_config__ = ConfigDict(strict=True, extra="forbid")

_counts_of = itemgetter(*map(WINDOW_COUNTS.index, WINDOW_COUNT_OF.values()))


class UncountedError(ValueError):
    """Raised when a statistic is given that nothing was counted for; says which and what to do."""


class CountsError(ValueError):
    """Raised when a window's counts cannot all be true or are too few; names them and says what to do."""


def flat(numbers: Sequence[float], statistics: Statistics, counts: Counts) -> list[float | None]:
    """A rich window on the wire. Raises UncountedError or CountsError."""
    values = [*map(statistics.get, WINDOW_STATISTICS)]
    counted = [*map(counts.get, WINDOW_COUNTS, repeat(0))]
    behind = _counts_of(counted)
    if 0 in behind:
        for name, value, count in zip(WINDOW_STATISTICS, values, behind, strict=True):
            if value is not None and count == 0:
                raise UncountedError(
                    f"statistics.{name} must be null or left out where counts.{WINDOW_COUNT_OF[name]} is 0 or left out"
                )
    _agree(counted)
    return [*numbers, *values, *counted]


_PARTS: Final = tuple(
    (tuple(map(WINDOW_COUNTS.index, parts)), WINDOW_COUNTS.index(whole)) for parts, whole in _LIMITS
)


def _agree(counted: Sequence[int]) -> None:
    if counted[0] < LEAST_KEYS:
        raise CountsError(
            f"counts.keys must be at least {LEAST_KEYS} (got {counted[0]}); join the window with its neighbour, or"
            " leave out version, statistics and counts"
        )
    for (parts, whole), names in zip(_PARTS, _LIMITS, strict=True):
        total = sum([counted[part] for part in parts])
        if total > counted[whole]:
            together = " + ".join(f"counts.{name}" for name in names[0])
            raise CountsError(
                f"{together} must be at most counts.{names[1]} (got {total} and {counted[whole]}); count each key and"
                " each pair of the window once"
            )
