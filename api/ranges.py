"""The range of each number that a request may carry; schema and error messages both read it here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_FUTURE_SECONDS: Final = 3600  # clocks differ; an hour covers a wrong daylight-saving setting
LAST_TIMESTAMP: Final = 4_102_444_800  # 2100-01-01: what is later is milliseconds, not seconds


@dataclass(frozen=True)
class Range:
    """Both ends belong to the range."""

    low: float
    high: float
    meaning: str

    def __str__(self) -> str:
        return f"between {self.low:,g} and {self.high:,g}"


RANGES: Final = {
    "typing_speed_wpm": Range(0, 400, "Words of five keys per minute"),
    "avg_key_hold_time_ms": Range(0, 5_000, "Mean time a key is held down, in milliseconds"),
    "avg_transition_time_ms": Range(
        -1_000,
        10_000,
        "Mean time from a key's release to the next key's press, in milliseconds; negative where keys overlap",
    ),
    "error_rate_percent": Range(0, 100, "Corrections among all keys, in percent"),
    "activity_hour_preference": Range(0, 23, "Hour of the day at which the user is mostly active"),
}
