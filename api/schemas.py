"""What a request may look like: strict, bounded, and without a field that nobody reads.

Numbers are JSON numbers, whole or not; strings, booleans, NaN and Infinity are none. Every list stops at its first bad
item, so that a hostile body cannot make the service describe a million problems.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, with_config
from pydantic.config import JsonDict
from typing_extensions import TypedDict  # pydantic asks for this one below Python 3.12

from api.identity import ACCEPTED, DID_PATTERN, MAX_DID_LENGTH
from api.ranges import LAST_TIMESTAMP, RANGES
from api.windows import WINDOW_VERSION, Counts, Statistics

MAX_BATCH: Final = 100
MAX_JOB: Final = 1_000_000
MAX_HISTORY: Final = 100
MAX_WINDOWS: Final = 20
# Of a pattern and its history: 250 take the front end about 10 ms. Of a batch: 100 patterns, each with a history of 10,
# have 1,100; 2,100 in 4.5 MB take 66 ms, with a turn for everybody else after 17 ms and then after each pattern.
MAX_PATTERN_WINDOWS: Final = 250
MAX_BATCH_WINDOWS: Final = 2_500

PREDICT_EXAMPLE: Final[JsonDict] = {
    "did": "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb000000000000000000000000",
    "features": {
        "typing_speed_wpm": 65,
        "avg_key_hold_time_ms": 120,
        "avg_transition_time_ms": 85,
        "error_rate_percent": 3,
        "activity_hour_preference": 14,
    },
    "historical_patterns": [
        {
            "typing_speed_wpm": 63,
            "avg_key_hold_time_ms": 118,
            "avg_transition_time_ms": 87,
            "error_rate_percent": 4,
            "timestamp": 1704067200,
        }
    ],
}
BATCH_EXAMPLE: Final[list[JsonDict]] = [
    {"did": "0x742d35Cc6634C0532925a3b844Bc9e7595f0bEb", "features": PREDICT_EXAMPLE["features"]},
    {"did": "did:web:example.org:user:17", "features": PREDICT_EXAMPLE["features"]},
]
WINDOW_EXAMPLE: Final[JsonDict] = {
    "typing_speed_wpm": 64.2,
    "avg_key_hold_time_ms": 118.4,
    "avg_transition_time_ms": 68.1,
    "error_rate_percent": 3.8,
    "version": 1,
    "statistics": {
        "hold_q10_ms": 84,
        "hold_q90_ms": 157,
        "hold_space": -0.13,
        "transition_q90_ms": 171,
        "overlap_ms": None,
        "transition_left_right": -0.21,
        "hold_spread": 0.27,
        "gap_median_ms": 166.5,
    },
    "counts": {"keys": 52, "holds": 50, "pairs": 47, "spaces": 8, "left_right": 9, "shifts": 2},
}


def _number(name: str) -> Any:
    limits = RANGES[name]
    return Field(
        ge=limits.low, le=limits.high, allow_inf_nan=False, description=f"{limits.meaning}."
    )


Did = Annotated[
    str,
    StringConstraints(pattern=DID_PATTERN, max_length=MAX_DID_LENGTH),
    Field(
        description=f"{ACCEPTED}. One that ends in `...` was shortened for display and names nobody in particular: it"
        " is compared with the request's own historical_patterns only, and never recorded."
    ),
]
Speed = Annotated[float, _number("typing_speed_wpm")]
Hold = Annotated[float, _number("avg_key_hold_time_ms")]
Transition = Annotated[float, _number("avg_transition_time_ms")]
Errors = Annotated[float, _number("error_rate_percent")]
Hour = Annotated[float, _number("activity_hour_preference")]
Timestamp = Annotated[
    float,
    Field(
        ge=0,
        le=LAST_TIMESTAMP,
        allow_inf_nan=False,
        description="When the pattern was recorded, in Unix seconds; at most an hour ahead, and none twice.",
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Numbers(_Strict):
    """What every session and every stretch of one is summed up in."""

    typing_speed_wpm: Speed
    avg_key_hold_time_ms: Hold
    avg_transition_time_ms: Transition
    error_rate_percent: Errors


# A `Literal` would take true and 1.0 for 1.
Version = Annotated[
    int, Field(ge=WINDOW_VERSION, le=WINDOW_VERSION, json_schema_extra={"const": WINDOW_VERSION})
]


class Window(Numbers):
    """A stretch of the session, with the same four numbers as the whole, and what a recorder derived beside them.

    `version`, `statistics` and `counts` come all three or not at all.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [WINDOW_EXAMPLE]})

    version: Version | None = Field(None, description="Of the statistics' definitions.")
    statistics: Statistics | None = Field(
        None, description="What has nothing to be taken from is null or left out."
    )
    counts: Counts | None = Field(None, description="What is left out is 0.")


Windows = Annotated[
    list[Window],
    Field(
        min_length=1,
        max_length=MAX_WINDOWS,
        fail_fast=True,
        description="The session's windows in time order; of a pattern and its historical_patterns together at"
        f" most {MAX_PATTERN_WINDOWS}, of a batch {MAX_BATCH_WINDOWS:,}.",
    ),
]


class Features(Numbers):
    """One session of typing, summed up."""

    activity_hour_preference: Hour
    session_features: Windows | None = None


class HistoricalPattern(Numbers):
    """An earlier session of the same DID, as the caller remembers it."""

    timestamp: Timestamp
    activity_hour_preference: Hour | None = None
    session_features: Windows | None = None


History = Annotated[
    list[HistoricalPattern],
    Field(
        max_length=MAX_HISTORY,
        fail_fast=True,
        description="Used where the service itself has recorded no pattern of this DID. No two share a timestamp.",
        json_schema_extra={"uniqueItems": True},  # as near as JSON Schema comes to that
    ),
]


class PredictRequest(_Strict):
    """A session, the DID it is said to come from, and optionally earlier sessions of that DID."""

    model_config = ConfigDict(json_schema_extra={"examples": [PREDICT_EXAMPLE]})

    did: Did
    features: Features
    historical_patterns: History | None = None


class JobPattern(PredictRequest):
    """One pattern of a bulk job: a request as `/predict` takes it, and when it was recorded."""

    timestamp: Timestamp | None = None


@with_config(ConfigDict(strict=True, extra="forbid"))
class PlainFeatures(TypedDict):
    """Five numbers of `Features`, and nothing else."""

    typing_speed_wpm: Speed
    avg_key_hold_time_ms: Hold
    avg_transition_time_ms: Transition
    error_rate_percent: Errors
    activity_hour_preference: Hour


@with_config(ConfigDict(strict=True, extra="forbid"))
class PlainRequest(TypedDict):
    """A `PredictRequest` without history and windows, as nearly all are: read in half the time."""

    did: Did
    features: PlainFeatures


Batch = Annotated[list[PredictRequest], Field(min_length=1, max_length=MAX_BATCH, fail_fast=True)]

PREDICT = TypeAdapter(PredictRequest)
BATCH = TypeAdapter(Batch)
PLAIN = TypeAdapter(PlainRequest).validator
PLAIN_BATCH = TypeAdapter(
    Annotated[list[PlainRequest], Field(min_length=1, max_length=MAX_BATCH, fail_fast=True)]
).validator
JOB_PATTERN = TypeAdapter(JobPattern)
JOB_PATTERNS = TypeAdapter(Annotated[list[JobPattern], Field(fail_fast=True)])
JOB = TypeAdapter(Annotated[list[JobPattern], Field(min_length=1, max_length=MAX_JOB)])
