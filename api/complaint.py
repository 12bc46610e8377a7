"""Says in one bounded line what is wrong with a body: the field, what it must be, and what it was.

Nothing of the body is repeated but the names of fields, cut short, and single numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from api.identity import ACCEPTED
from api.ranges import COUNTS, MAX_COUNT, RANGES, STATISTICS
from api.schemas import MAX_BATCH, MAX_HISTORY, MAX_WINDOWS
from api.windows import WINDOW_VERSION

MAX_PROBLEMS_NAMED: Final = 3
MAX_PROBLEMS_LISTED: Final = 64  # pydantic describes all or none; a body of unknown fields has 10^5
MAX_NAME_LENGTH: Final = 40

MUST_BE: Final = {name: f"a number {limits}" for name, limits in RANGES.items()} | {
    "did": ACCEPTED,
    "timestamp": "a number of Unix seconds, at most an hour ahead of now",
    "features": "an object with the session's numbers",
    "historical_patterns": f"a list of 0 to {MAX_HISTORY} patterns",
    "session_features": f"a list of 1 to {MAX_WINDOWS} windows",
    "version": f"the whole number {WINDOW_VERSION}, with statistics and counts",
    "statistics": "an object with the window's statistics, see /docs",
    "counts": "an object with the window's counts, see /docs",
    **{name: f"null or a number {limits}" for name, limits in STATISTICS.items()},
    **dict.fromkeys(COUNTS, f"a whole number between 0 and {MAX_COUNT:,}"),
}
_BATCH_MUST_BE: Final = f"a list of 1 to {MAX_BATCH} requests"
_REQUEST_MUST_BE: Final = "an object with did and features"
_WRONG_FORM: Final = frozenset({"string_pattern_mismatch", "string_too_long"})
_LENGTHS: Final = frozenset({"too_long", "too_short"})


def complain(
    error: ValidationError,
    *,
    batch: bool = False,
    must_be: Mapping[str, str] = MUST_BE,
    within: tuple[int | str, ...] = (),
) -> str:
    """One line about a body that failed validation, the first few problems by name.

    `must_be` tells what each field must be, after the words "must be". `within`: the place in the body of what failed.
    """
    if error.error_count() > MAX_PROBLEMS_LISTED:
        return f"the body has {error.error_count()} problems, such as unknown fields; see /docs"
    problems = error.errors(include_url=False)
    for problem in problems:
        problem["loc"] = (*within, *problem["loc"])
    lines = [_describe(problem, batch, must_be) for problem in problems[:MAX_PROBLEMS_NAMED]]
    more = len(problems) - len(lines)
    return "; ".join(lines) + (f"; and {more} more" if more else "")


def place(location: Sequence[int | str], *, batch: bool = False) -> str:
    """A field's place as a reader would write it: `item 3: historical_patterns[0].timestamp`."""
    parts = list(location)
    item = f"item {parts.pop(0)}: " if batch and parts else ""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part[:MAX_NAME_LENGTH]}"
    return item + (path.removeprefix(".") or "the request")


def shown(value: Any) -> str:
    """What a value was, without repeating it unless it is a number of ordinary size."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN, Infinity or a number beyond all measure"
    if isinstance(value, int | float):
        if abs(value) >= 1e15:
            return "a number beyond all measure"
        # 65.0 is not 65 where a whole number is asked for.
        whole = isinstance(value, float) and value.is_integer()
        return f"{value:.1f}" if whole else f"{value:.15g}"
    names = {str: "a string", list: "a list", dict: "an object", type(None): "null"}
    return names.get(type(value), "something else")


def _describe(problem: ErrorDetails, batch: bool, fields: Mapping[str, str]) -> str:
    kind, location, value = problem["type"], problem["loc"], problem["input"]
    if kind == "json_invalid":
        return f"the body is not valid JSON: {problem['ctx']['error']}"
    where = "the body" if not location else place(location, batch=batch)
    if kind == "extra_forbidden":
        return f"{where} is not a known field"
    must_be = f"must be {_expected(location, batch, fields)}"
    if kind == "missing":
        return f"{where} is missing; it {must_be}"
    if kind in _WRONG_FORM:
        return f"{where} {must_be}"
    got = f"{problem['ctx']['actual_length']} items" if kind in _LENGTHS else shown(value)
    return f"{where} {must_be} (got {got})"


def _expected(location: Sequence[int | str], batch: bool, fields: Mapping[str, str]) -> str:
    if not location:
        return _BATCH_MUST_BE if batch else _REQUEST_MUST_BE
    name = location[-1]
    if isinstance(name, int):
        return _REQUEST_MUST_BE if len(location) == 1 else "an object with the pattern's numbers"
    return fields[name]
